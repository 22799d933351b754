package odoo

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
)

// decode reads a methodCall. It knows what clients of Odoo send: strings, numbers, booleans, lists, structs and nil.
func decode(body []byte) (method string, params []any, err error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return method, params, nil
		}
		if err != nil {
			return "", nil, err
		}
		el, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch el.Name.Local {
		case "methodName":
			if err := d.DecodeElement(&method, &el); err != nil {
				return "", nil, err
			}
		case "value":
			v, err := value(d)
			if err != nil {
				return "", nil, err
			}
			params = append(params, v)
		}
	}
}

// value reads what stands between <value> and </value>; the start tag is gone already.
func value(d *xml.Decoder) (v any, err error) {
	var plain strings.Builder
	typed := false
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch x := t.(type) {
		case xml.CharData:
			plain.Write(x)
		case xml.StartElement:
			typed = true
			if v, err = one(d, x); err != nil {
				return nil, err
			}
		case xml.EndElement:
			if !typed {
				return plain.String(), nil
			}
			return v, nil
		}
	}
}

func one(d *xml.Decoder, el xml.StartElement) (any, error) {
	switch el.Name.Local {
	case "array":
		return list(d)
	case "struct":
		return object(d)
	}
	var s string
	if err := d.DecodeElement(&s, &el); err != nil {
		return nil, err
	}
	switch el.Name.Local {
	case "int", "i4", "i8":
		return strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	case "double":
		return strconv.ParseFloat(strings.TrimSpace(s), 64)
	case "boolean":
		return strings.TrimSpace(s) == "1", nil
	case "nil":
		return nil, nil
	}
	return s, nil
}

func list(d *xml.Decoder) (any, error) {
	out := []any{}
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch x := t.(type) {
		case xml.StartElement:
			if x.Name.Local == "value" {
				v, err := value(d)
				if err != nil {
					return nil, err
				}
				out = append(out, v)
			}
		case xml.EndElement:
			if x.Name.Local == "array" {
				return out, nil
			}
		}
	}
}

func object(d *xml.Decoder) (any, error) {
	out, name := map[string]any{}, ""
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch x := t.(type) {
		case xml.StartElement:
			switch x.Name.Local {
			case "name":
				if err := d.DecodeElement(&name, &x); err != nil {
					return nil, err
				}
			case "value":
				if out[name], err = value(d); err != nil {
					return nil, err
				}
			}
		case xml.EndElement:
			if x.Name.Local == "struct" {
				return out, nil
			}
		}
	}
}

// encode writes an answer as Python's xmlrpc does; None cannot be written, which is the fault that means success.
func encode(v any) (string, error) {
	var b strings.Builder
	b.WriteString("<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n")
	if err := put(&b, v); err != nil {
		return "", err
	}
	b.WriteString("</param>\n</params>\n</methodResponse>\n")
	return b.String(), nil
}

var errNone = errors.New("TypeError: cannot marshal None unless allow_none is enabled")

func put(b *strings.Builder, v any) error {
	b.WriteString("<value>")
	switch x := v.(type) {
	case nil:
		return errNone
	case string:
		fmt.Fprintf(b, "<string>%s</string>", html.EscapeString(x))
	case int:
		fmt.Fprintf(b, "<int>%d</int>", x)
	case int64:
		fmt.Fprintf(b, "<int>%d</int>", x)
	case float64:
		fmt.Fprintf(b, "<double>%s</double>", python(x))
	case bool:
		fmt.Fprintf(b, "<boolean>%d</boolean>", map[bool]int{true: 1}[x])
	case []any:
		b.WriteString("<array><data>\n")
		for _, e := range x {
			if err := put(b, e); err != nil {
				return err
			}
		}
		b.WriteString("</data></array>")
	case map[string]any:
		b.WriteString("<struct>\n")
		for k, e := range x {
			fmt.Fprintf(b, "<member>\n<name>%s</name>\n", html.EscapeString(k))
			if err := put(b, e); err != nil {
				return err
			}
			b.WriteString("</member>\n")
		}
		b.WriteString("</struct>")
	default:
		panic(fmt.Sprintf("BUG: fake Odoo answers with %T", v))
	}
	b.WriteString("</value>\n")
	return nil
}

// python writes a double as Python's repr does: always with a point.
func python(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func faultBody(code int, words string) string {
	return fmt.Sprintf("<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n<value><int>%d</int></value>\n</member>\n"+
		"<member>\n<name>faultString</name>\n<value><string>%s</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n", code, html.EscapeString(words))
}
