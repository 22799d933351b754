package filedrop

import (
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"
)

// FuzzCut holds the cutter against encoding/csv, row by row and after broken rows.
func FuzzCut(f *testing.F) {
	for _, s := range []string{"a,b\r\n", "a,\"b,c\"\n", "\"a\nb\",c\n", "a\"b,c\n", ",,\n", "a\r", "\r\n", "\n", "a;b,c", "a,b\nc,d\n", "\"", "é,ü\n"} {
		f.Add(s, ",")
		f.Add(s, ";")
		f.Add(s, "é")
	}
	f.Fuzz(func(t *testing.T, row, comma string) {
		if r := []rune(comma); len(r) != 1 || strings.ContainsAny(comma, "\"\r\n\ufffd\x00") {
			return
		}
		c := newCutter(comma)
		for range 2 {
			got, err := c.cut(row, nil)
			r := csv.NewReader(strings.NewReader(row))
			r.FieldsPerRecord, r.Comma = -1, []rune(comma)[0]
			want, wrong := r.Read()
			if wrong == nil && r.InputOffset() != int64(len(row)) {
				wrong = errors.New("several rows")
			}
			if (err == nil) != (wrong == nil) || err == nil && !slices.Equal(got, want) {
				t.Fatalf("%q: %q (%v), encoding/csv has %q (%v)", row, got, err, want, wrong)
			}
		}
	})
}
