package filedrop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// objects is NDJSON: an object a line. A value that is absent is empty, as in JSON everywhere.
type objects struct{}

func (objects) each(ctx context.Context, r io.Reader, f func(span) error) error {
	l := &lines{b: bufio.NewReaderSize(r, 64<<10)}
	some := false
	for ctx.Err() == nil {
		n, err := l.next()
		if errors.Is(err, io.EOF) {
			if !some {
				return errTold("the file is empty: export it again")
			}
			return nil
		}
		if err != nil {
			return err
		}
		if n.bad == "" && blank(n.raw) {
			continue
		}
		some = true
		if err := f(span{n.n, n.off, n.raw, n.bad, true}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (objects) parse(raw string, _ []string) (fields, error) {
	m, err := flat([]byte(raw))
	if err != nil {
		return fields{cells: []string{raw}}, err
	}
	out := fields{names: slices.Sorted(maps.Keys(m))}
	for _, n := range out.names {
		out.cells = append(out.cells, m[n])
	}
	return out, nil
}

// array is a JSON list of objects, an element a row.
type array struct{ objects }

func (array) each(ctx context.Context, r io.Reader, f func(span) error) error {
	leash := &leash{r: r}
	d := json.NewDecoder(leash)
	leash.left = maxRow
	if first, err := d.Token(); errors.Is(err, io.EOF) {
		return errTold("the file is empty: export it again")
	} else if fault := leash.err; fault != nil {
		return fault
	} else if err != nil || first != json.Delim('[') {
		return errTold("the file holds no JSON list: it is another kind of file, or it is damaged: export it again")
	}
	n := 0
	for leash.left = maxRow; d.More(); leash.left = maxRow {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n++
		var raw json.RawMessage
		err := d.Decode(&raw)
		if leash.err != nil {
			return leash.err
		}
		if err != nil {
			return f(span{row: n, off: d.InputOffset(), bad: "the JSON breaks off here, and nothing behind it can be read: " + err.Error() + ". Export the file again"})
		}
		if err := f(span{row: n, off: d.InputOffset() - int64(len(raw)), raw: raw}); err != nil {
			return err
		}
	}
	if leash.err != nil {
		return leash.err
	}
	_, err := d.Token()
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
	}
	return f(span{row: n + 1, off: d.InputOffset(), bad: "the JSON list does not end as it should: the file is damaged, or was not written to its end. Export it again"})
}

// leash bounds what one element makes the decoder read.
type leash struct {
	r    io.Reader
	left int
	err  error // of the disk, which a decoder would take for the file's own
}

var errLong = fmt.Errorf("it is longer than %d bytes", maxRow)

// Read implements io.Reader.
func (l *leash) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLong
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	if l.left -= n; err != nil && !errors.Is(err, io.EOF) {
		l.err = err
	}
	return n, err
}

// flat reads an object's own values as texts; a number keeps its spelling. An object with a name twice is none: which of two prices counts
// nobody can say.
func flat(b []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, fmt.Errorf("it is no JSON object")
	}
	out := map[string]string{}
	for d.More() {
		name, err := d.Token()
		var v any
		if err == nil {
			err = d.Decode(&v)
		}
		if err != nil {
			return nil, fmt.Errorf("it is no JSON object")
		}
		k, _ := name.(string) // an object's names are nothing else
		if _, twice := out[k]; twice {
			return nil, fmt.Errorf("the name %.40q stands twice in it, and which of the two counts nobody can say", k)
		}
		if out[k], err = spelled(v); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil { // its end
		return nil, fmt.Errorf("it is no JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("there is more after the end of the object")
	}
	return out, nil
}

// spelled is a value as a text.
func spelled(v any) (string, error) {
	switch x := v.(type) {
	case nil:
		return "", nil
	case string:
		return x, nil
	case json.Number:
		return x.String(), nil
	case bool:
		return fmt.Sprint(x), nil
	}
	raw, err := json.Marshal(v)
	return string(raw), err
}
