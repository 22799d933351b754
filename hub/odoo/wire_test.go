package odoo

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestXMLText(t *testing.T) {
	for in, want := range map[string]string{
		"plain":               "plain",
		"tab\tand\nline":      "tab\tand\nline",
		"a\x00b\x0bc\x1fd":    "abcd",
		"cr\r\nlf":            "cr\nlf",
		"\uFFFEx\uFFFF":       "x",
		"Zoë 🧾 <&>":           "Zoë 🧾 <&>",
		"broken \xff\xfe utf": "broken \uFFFD utf",
		"\xed\xa0\x80":        "\uFFFD", // a lone surrogate
	} {
		if got := xmlText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestSendableRefusesWhatTheCodecWritesWrongly(t *testing.T) {
	for _, v := range []any{nil, 1.5, map[string]any{"": 1}, map[string]any{"a<b": 1}, struct{}{}, []any{nil}} {
		if _, err := sendable(v); err == nil {
			t.Errorf("%#v would have been sent", v)
		}
	}
}

func body(v string) []byte {
	return []byte("<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>" + v + "</value>\n</param>\n</params>\n</methodResponse>\n")
}

func TestAnswer(t *testing.T) {
	for in, want := range map[string]any{
		"<int>7</int>":              int64(7),
		"<i8>3000000000</i8>":       int64(3000000000),
		"<boolean>0</boolean>":      false,
		"<double>10.0</double>":     10.0,
		"<string>a &lt; b</string>": "a < b",
		"<string></string>":         nil, // the codec's word for an empty text
	} {
		if got, err := answer(body(in)); err != nil || got != want {
			t.Errorf("%s: got %#v %v, want %#v", in, got, err, want)
		}
	}
	for name, in := range map[string][]byte{
		"cut off":   body("<int>7</int>")[:60],
		"a comment": body("<!-- --><int>7</int>"),
		"a DTD":     []byte(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><methodResponse/>`),
		"deep":      body(strings.Repeat("<array><data><value>", 200)),
		"nothing":   nil,
	} {
		if _, err := answer(in); KindOf(err) != Away {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// FuzzAnswer feeds the reader of answers whatever a broken proxy may send: it may refuse, not break.
func FuzzAnswer(f *testing.F) {
	f.Add(body("<struct><member><name>ids</name><value><array><data><value><int>14</int></value></data></array></value></member></struct>"))
	f.Add(body("<boolean>0</boolean>"))
	f.Add([]byte("<!DOCTYPE html><html></html>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := answer(b)
		if err != nil && !utf8.ValidString(err.Error()) {
			t.Errorf("the error is no text: %q", err)
		}
		_ = text(v)
		_ = id(v)
		_, _ = rows(v)
	})
}
