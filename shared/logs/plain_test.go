package logs

import (
	"bytes"
	"testing"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"Todo está bien ✓\n\tx\n":                  "Todo está bien ✓\n\tx\n",
		"a\x1b]0;owned\x07b\x1b[31mred\x7f\rc\x00": "a?]0;owned?b?[31mred?c?",
		"\u009b2J\u0085\xff\x9b":                   "?2J???",
		"日本語":                                      "日本語",
	} {
		var whole, pieces bytes.Buffer
		if n, err := Plain(&whole).Write([]byte(in)); n != len(in) || err != nil || whole.String() != want {
			t.Errorf("%q: %q, %d, %v", in, whole.String(), n, err)
		}
		w := Plain(&pieces)
		for i := range len(in) {
			if n, err := w.Write([]byte{in[i]}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		if pieces.String() != want {
			t.Errorf("%q in pieces: %q", in, pieces.String())
		}
	}
}
