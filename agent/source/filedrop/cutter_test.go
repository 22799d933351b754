package filedrop

import (
	"encoding/csv"
	"errors"
	"math/rand/v2"
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

// TestALineSeenAlikeIsAlikeWhenItIsCut holds the quick look against cutting, over lines of everything that means something to it.
func TestALineSeenAlikeIsAlikeWhenItIsCut(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"a", "b", "", ",", ",", ",", `"`, " ", "\r", "é", ",a,", ",b,"}
	c, seen := newCutter(""), 0
	for range 200_000 {
		line := "a,"
		for range r.IntN(7) {
			line += pieces[r.IntN(len(pieces))]
		}
		line += []string{"\n", "\r\n", ""}[r.IntN(3)]
		columns, before := [][]int{{0}, {1}, {0, 2}, {3}}[r.IntN(4)], []string{"a", "b", "a"}
		if !alike([]byte(line), ',', 4, columns, before) {
			continue
		}
		seen++
		cells, err := c.cut(line, nil)
		if err != nil || len(cells) != 4 {
			t.Fatalf("%q: %q %v", line, cells, err)
		}
		for _, k := range columns {
			if k >= len(before) || cells[k] != before[k] {
				t.Fatalf("%q: cell %d of %q is not %q's", line, k, cells, before)
			}
		}
	}
	if seen < 1000 {
		t.Errorf("%d lines were alike: too few to show anything", seen)
	}
}
