package profile_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

var update = flag.Bool("update", false, "write the golden files anew")

func pcamerica(t testing.TB) *profile.Profile {
	t.Helper()
	p, ok := profile.Shipped("pcamerica")
	if !ok {
		t.Fatal("the profile is not shipped")
	}
	return p
}

// Each file of testdata/pcamerica holds rows as agent/source/possql sends them; the golden file beside it what they mean.
func TestPcAmericaGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/pcamerica/*.json")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var r profile.Rows
		if err := json.Unmarshal(body, &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []byte
		if rec, err := pcamerica(t).Decode(r); err != nil {
			got = []byte(err.Error())
		} else if got, err = json.MarshalIndent(rec, "", "  "); err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(name, ".json") + ".golden"
		if *update {
			if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || string(want) != string(got)+"\n" {
			t.Errorf("%s: %v\n%s", golden, err, got)
		}
	}
}

// Whatever a till's database holds, its rows are read without a panic; lines of a ticket that is taken come to what its head says, to the
// cent, and a void moves nothing that is not on the ticket.
func FuzzPcAmerica(f *testing.F) {
	files, _ := filepath.Glob("testdata/pcamerica/*.json")
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	p := pcamerica(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		var r profile.Rows
		if json.Unmarshal(body, &r) != nil {
			return
		}
		rec, err := p.Decode(r)
		if err != nil {
			return
		}
		x, ok := rec.(retail.Ticket)
		if !ok || x.Key.ID == "" || x.At.IsZero() && r.Note != "" {
			t.Fatalf("%+v", rec)
		}
		total, err := x.Total()
		if err != nil {
			return
		}
		again, err := p.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		if y, _ := again.(retail.Ticket); len(y.Lines) != len(x.Lines) || y.At != x.At {
			t.Fatal("the same rows mean two things")
		}
		if sum, err := x.TaxTotal(); err == nil && x.Kind == retail.Sale && total.Minor < 0 {
			t.Fatalf("a sale of %s with tax of %s", total, sum)
		}
	})
}

func TestSQLProfilesAreChecked(t *testing.T) {
	text := string(pcamerica(t).TOML())
	for what, c := range map[string]struct{ old, now string }{
		"sql.driver":        {`driver = "sqlserver"`, `driver = "oracle"`},
		"@from":             {"@from", "'2026-01-01'"},
		"recent_days":       {`driver = "sqlserver"`, "driver = \"sqlserver\"\nrecent_days = 30"},
		"format sql only":   {`format = "sql"`, `format = "csv"`},
		"there is no table": {`{Status|kind}`, `{Status|nothing}`},
	} {
		if _, err := profile.Parse([]byte(strings.ReplaceAll(text, c.old, c.now))); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if p := pcamerica(t); p.SQL.Recent != 2 || p.SQL.Old != 35 {
		t.Errorf("%+v", p.SQL)
	}
}
