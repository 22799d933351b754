package bank

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func data(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TILLPOST_DATA")
	if dir == "" {
		t.Skip("TILLPOST_DATA is not set: no real bank files to read")
	}
	return filepath.Join(dir, "bank_files")
}

func open(t *testing.T, path string) (File, error) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return Read(body, Options{Currency: "USD"})
}

// What banks really send, counted by hand: accounts, lines, sum of all lines in minor units.
func TestRealFilesOfAmericanBanks(t *testing.T) {
	dir := data(t)
	for name, want := range map[string]struct {
		accounts, lines int
		sum             int64
	}{
		"bai2/moj/account_trailer_amount_blank_example.bai2": {2, 0, 0},
		"bai2/moj/citi_example.bai2":                         {1, 1, 1},
		"bai2/moj/nwb_example.bai2":                          {1, 5, -971 - 100 - 123 - 1571 + 89},
		"bai2/moj/svb_us_example.bai2":                       {2, 2, 490196 + 905800},
		"ofx/ofxparse/checking.ofx":                          {1, 3, 1 - 3451 - 2500},
		"ofx/ofxparse/suncorp.ofx":                           {1, 1, -1685},
		"ofx/ofxparse/multiple_accounts2.ofx":                {2, 0, 0},
		"ofx/ofxparse/fail_nice/empty_balance.ofx":           {1, 1, 0},
	} {
		f, err := open(t, filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		lines, sum := 0, int64(0)
		for _, s := range f.Statements {
			for _, l := range s.Lines {
				lines, sum = lines+1, sum+l.Amount.Minor
			}
		}
		if len(f.Statements) != want.accounts || lines != want.lines || want.sum != 0 && sum != want.sum {
			t.Errorf("%s: got %d accounts, %d lines, sum %d, want %+v", name, len(f.Statements), lines, sum, want)
		}
	}
}

// A file that is not whole says so; a line that cannot be read is listed and the rest goes on.
func TestRealFilesThatAreBroken(t *testing.T) {
	dir := data(t)
	for name, says := range map[string]string{
		"bai2/moj/svb_us_example.bai2":             "control total",
		"bai2/moov/testdata/sample5-issue113.txt":  "control total",
		"ofx/ofxparse/fail_nice/date_missing.ofx":  "date",
		"camt/genkgo/camt053.v2.five.decimals.xml": "the bank says",
	} {
		f, err := open(t, filepath.Join(dir, name))
		if err != nil || !strings.Contains(fmt.Sprint(f.Bad), says) {
			t.Errorf("%s: %v %v", name, f.Bad, err)
		}
	}
	if _, err := open(t, filepath.Join(dir, "camt/genkgo/camt053.v2.wrong.xml")); err == nil {
		t.Error("a file without a statement was read as one")
	}
}

// Another reader's understanding of the same CAMT files stands beside each: amount, currency and side of every entry.
func TestCAMTAsAnotherReaderReadsIt(t *testing.T) {
	dir, compared := filepath.Join(data(t), "camt", "genkgo"), 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" || !strings.Contains(path, "camt053") {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var want struct {
			Entries []theirs `json:"getEntries"`
		}
		if err := json.Unmarshal(body, &want); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		f, err := open(t, strings.TrimSuffix(path, ".json")+".xml")
		if err != nil {
			return nil // none of theirs holds an entry either
		}
		var ours, them []string
		for _, l := range f.Statements[len(f.Statements)-1].Lines { // theirs gives the last statement's
			ours = append(ours, fmt.Sprintf("%d %s", l.Amount.Minor, l.Amount.Currency))
		}
		for _, e := range want.Entries {
			if e.GetStatus == "PDNG" {
				continue
			}
			them = append(them, e.GetAmount.GetAmount+" "+e.GetAmount.GetCurrency.GetCode)
		}
		compared += len(them)
		if !slices.Equal(ours, them) {
			t.Errorf("%s: ours %v, theirs %v", filepath.Base(path), ours, them)
		}
		return nil
	})
	if err != nil || compared < 5 {
		t.Fatalf("compared %d entries: %v", compared, err)
	}
}

type theirs struct {
	GetAmount struct {
		GetAmount   string                   `json:"getAmount"`
		GetCurrency struct{ GetCode string } `json:"getCurrency"`
	} `json:"getAmount"`
	GetStatus string `json:"getStatus"`
}
