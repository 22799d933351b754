package hostile

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the hub's database is read past the product's code
)

// waited waits until the hub has all that the agent took.
func (w *world) waited(t *testing.T) {
	t.Helper()
	quiet, last := 0, ""
	w.Until(4*time.Minute, "quiet", func() bool {
		out, _ := w.Run(w.At("agent"), "status", "--json", "--config", w.settings)
		var st struct {
			Waiting int
			Streams map[string]struct{ Last int }
		}
		if json.Unmarshal([]byte(out), &st) != nil || st.Waiting > 0 {
			quiet = 0
			return false
		}
		if now := fmt.Sprint(st.Streams); now != last {
			quiet, last = 0, now
		}
		quiet++
		return quiet > 30
	})
}

// told compares the books with what must be in them, and the cases with what must be listed.
func (w *world) told(t *testing.T) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+w.At("hubdata/hub.db")+"?mode=ro&_busy_timeout=10000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	have := map[string]bool{}
	rows, err := db.Query(`SELECT key FROM ticket WHERE entry > 0`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			t.Fatal(err)
		}
		have[key[strings.LastIndex(key, "|")+1:]] = true
	}
	lost := []string{}
	for id := range w.good {
		if !have[id] {
			lost = append(lost, id)
		}
	}
	if slices.Sort(lost); len(lost) > 0 {
		t.Errorf("%d good rows of %d are not in the books: %v", len(lost), len(w.good), lost[:min(len(lost), 20)])
	}
	for id := range have {
		if strings.HasPrefix(id, "b") {
			t.Errorf("the bad row %s is in the books", id)
		}
	}
	cases := w.Hub("cases")
	for _, says := range []string{"rows.csv, row 2", `"abc" is not a number`, `"=1+1" is not a number`, "beyond", "1970", "2099", "20.11.2026", "no ticket number", "8 cells", "a quote is opened", "the amount is missing",
		"empty.csv", "blank.csv", "other.csv", `"Price"`, "zip.csv", "long.csv", "empty.json", "text.json", "no JSON list", "breaks off", "mixed.json, row 1", "mixed.ndjson", "longer than", "no workbook", "text.xlsx",
		`"barter"`, `S9`, "book.tmp.xlsx, row 6", "export it again",
		"link.csv: it is a link", "link-folder.csv: it is a link", "link-nowhere.csv: it is a link", "bomb.xlsx: the workbook is larger", "nested.xlsx: it is no workbook", "program.xlsm: the workbook carries macros",
		"dde.xlsx: the workbook carries a link to another program"} {
		if !strings.Contains(cases, says) {
			t.Errorf("no case says %q", says)
		}
	}
	t.Logf("%d good rows in the books, %d cases", len(w.good), strings.Count(cases, "\n    ")/3)
}

// words compares what arrived with what was sent, to the byte.
func (w *world) words(t *testing.T) {
	t.Helper()
	body, err := os.ReadFile(w.At("export.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for line := range bytes.Lines(body) {
		var e struct{ Kind, Key, Body string }
		var r struct {
			Header []string
			Rows   []struct{ Cells []string }
		}
		if json.Unmarshal(line, &e) != nil || e.Kind != "rows.v1" || json.Unmarshal([]byte(e.Body), &r) != nil || len(r.Rows) != 1 {
			continue
		}
		if i := slices.Index(r.Header, "What"); i >= 0 && i < len(r.Rows[0].Cells) {
			got[e.Key] = strings.TrimSpace(r.Rows[0].Cells[i])
		}
	}
	for id, want := range w.good {
		if want != "" && got[id] != want {
			t.Errorf("%s says %q, it was %q", id, got[id], want)
		}
	}
}

// alone finds s where it is no part of a longer number.
func alone(body []byte, s string) int {
	digit := func(i int) bool { return i >= 0 && i < len(body) && body[i] >= '0' && body[i] <= '9' }
	for from := 0; ; {
		i := bytes.Index(body[from:], []byte(s))
		if i < 0 {
			return -1
		}
		if i += from; !digit(i-1) && !digit(i+len(s)) {
			return i
		}
		from = i + 1
	}
}

// clean looks at every byte of what agent, hub and Odoo have written: data folders, logs, the export.
func (w *world) clean(t *testing.T) {
	t.Helper()
	files, size, seen := 0, int64(0), 0
	err := filepath.WalkDir(w.Dir, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(w.Dir, path)
		if err != nil || d.IsDir() || strings.HasPrefix(rel, "drop-") || rel == "agent" || rel == "hub" || rel == "odoo" {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files, size = files+1, size+int64(len(body))
		if bytes.Contains(body, []byte("411111******1111")) {
			seen++
		}
		for _, s := range w.secrets {
			wide := make([]byte, 0, 2*len(s))
			for _, c := range []byte(s) {
				wide = append(wide, c, 0)
			}
			if i := alone(body, s); i >= 0 {
				t.Errorf("%s holds the card number or secret %s…: %q", rel, s[:6], body[max(0, i-60):min(len(body), i+60)])
			} else if bytes.Contains(body, wide) {
				t.Errorf("%s holds the card number %s… in UTF-16", rel, s[:6])
			}
		}
		for _, s := range []string{"29121010000000000", `"987"`, `cvv":987`, `cvv\":987`} {
			if bytes.Contains(body, []byte(s)) {
				t.Errorf("%s holds track data or a security code: %s", rel, s)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("no masked number is seen anywhere: the look is blind")
	}
	t.Logf("%d files, %d bytes looked at for %d card numbers", files, size, len(w.secrets))
}
