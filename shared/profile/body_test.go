package profile

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzBody holds the hand-written form against encoding/json's.
func FuzzBody(f *testing.F) {
	f.Add("sales.csv", "", "T-1,A\"B,<é\u2028\xff>&\\", "", 3)
	f.Add("", "S1", "", "it is broken", 0)
	f.Fuzz(func(t *testing.T, file, location, cell, note string, n int) {
		r := Rows{Profile: "p", Version: location, File: file, SHA256: cell, Zone: note, Note: note, Top: []string{cell, file}, Header: []string{file, ""}}
		r.Location = "L" + r.Location
		for i := range min(max(n, 0), 5) {
			r.Rows = append(r.Rows, Row{N: n - i, Cells: []string{cell, location}}, Row{N: -i})
		}
		want, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Body(); !bytes.Equal(got, want) {
			t.Fatalf("%s, encoding/json has %s", got, want)
		}
	})
}
