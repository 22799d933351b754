package guard

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// identity are the fields of a JSON record that make two captures one thing. Compared in lower case.
var identity = map[string]bool{"id": true, "number": true, "parent": true, "scope": true}

// JSON is Text for a JSON record, and stays JSON: a card number in a string, a number or a name is masked, and what may never be kept is
// dropped whatever shape its value has. A field that identifies a record becomes a token instead, made with secret (see Key). A body that
// is no JSON is cleaned as text.
func JSON(secret, body []byte) []byte {
	if !suspicious(body) || plainlyClean(string(body)) {
		return body
	}
	return walked(secret, body)
}

// plainlyClean is the second look at a record that has twelve digits close together, as the processor's own number of a payment has: without an
// escape, a name of never or a tag, what its text as a whole does not hide none of its fields hides. Taking the record apart costs ten times
// as much.
func plainlyClean(s string) bool {
	return strings.IndexByte(s, '\\') < 0 && !fielded(s) && !tagged(s) && mask(s) == s
}

// walked takes a record apart.
func walked(secret, body []byte) []byte {
	w := walker{d: json.NewDecoder(bytes.NewReader(body)), body: body, secret: secret}
	w.d.UseNumber()
	if err := w.value(""); err != nil {
		return Bytes(body)
	}
	if _, err := w.d.Token(); err != io.EOF {
		return Bytes(body)
	}
	w.out.Write(body[w.at:])
	return w.out.Bytes()
}

// walker copies a record token by token.
type walker struct {
	d      *json.Decoder
	body   []byte
	at     int64 // what is copied
	out    bytes.Buffer
	secret []byte
}

// token reads the next token; raw is its spelling, before is what stands between it and the one before.
func (w *walker) token() (t json.Token, before, raw []byte, err error) {
	if t, err = w.d.Token(); err != nil {
		return nil, nil, nil, err
	}
	all := w.body[w.at:w.d.InputOffset()]
	raw = bytes.TrimLeft(all, " \t\r\n,:")
	return t, all[:len(all)-len(raw)], raw, nil
}

func (w *walker) copy(before, raw []byte) {
	w.out.Write(before)
	w.out.Write(raw)
	w.at = w.d.InputOffset()
}

// value copies one value of a field.
func (w *walker) value(name string) error {
	t, before, raw, err := w.token()
	if err != nil {
		return err
	}
	switch x := t.(type) {
	case json.Delim:
		w.copy(before, raw)
		if x == '{' {
			return w.object()
		}
		return w.list(name)
	case string:
		w.copy(before, spelled(x, w.clean(name, x), raw))
	case json.Number:
		w.copy(before, spelled(x.String(), w.clean(name, x.String()), raw))
	default:
		w.copy(before, raw)
	}
	return nil
}

func (w *walker) object() error {
	for w.d.More() {
		t, before, raw, err := w.token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		w.copy(before, spelled(name, Text(name), raw))
		if !never[plainName(name)] {
			if err := w.value(name); err != nil {
				return err
			}
			continue
		}
		if err := w.drop(); err != nil {
			return err
		}
	}
	return w.end()
}

// drop leaves a value out, and says so.
func (w *walker) drop() error {
	var v json.RawMessage
	if err := w.d.Decode(&v); err != nil {
		return err
	}
	all := w.body[w.at:w.d.InputOffset()]
	out := []byte(`"` + dropped + `"`)
	if s := string(v); s == "null" || s == "true" || s == "false" || s == `""` {
		out = v
	}
	w.copy(all[:len(all)-len(v)], out)
	return nil
}

func (w *walker) list(name string) error {
	for w.d.More() {
		if err := w.value(name); err != nil {
			return err
		}
	}
	return w.end()
}

func (w *walker) end() error {
	_, before, raw, err := w.token()
	if err == nil {
		w.copy(before, raw)
	}
	return err
}

func (w *walker) clean(name, value string) string {
	if identity[strings.ToLower(name)] {
		return Key(w.secret, value)
	}
	return Text(value)
}

// spelled is raw, or cleaned as a JSON string when cleaning changed the value.
func spelled(value, cleaned string, raw []byte) []byte {
	if cleaned == value {
		return raw
	}
	out, err := json.Marshal(cleaned)
	if err != nil {
		return []byte(`"` + dropped + `"`)
	}
	return out
}
