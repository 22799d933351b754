// Package realdata takes public data of real shops through the line: file, profile, records, decode, ledger. Every row must end in an entry
// or in the list of what is left for a person, and counts and sums must agree to the cent with a sum that shares no code with the line.
// The data are not part of the project: TILLPOST_DATA names the folder that holds them.
package realdata

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/filedrop"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// data returns a file of the data folder, unpacked when it is packed.
func data(t *testing.T, parts ...string) string {
	t.Helper()
	root := os.Getenv("TILLPOST_DATA")
	if root == "" {
		t.Skip("TILLPOST_DATA is not set: the real data are not here, this test has nothing to read")
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if !strings.HasSuffix(path, ".gz") {
		return path
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(path), ".gz"))
	w, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := io.Copy(w, z); err != nil {
		t.Fatal(err)
	}
	return out
}

// books is the far end of the line: it decodes and posts what the agent would send, each body through the guard first.
type books struct {
	t       *testing.T
	entries map[string]ledger.Entry // by key: the same ticket again changes nothing
	hashes  map[string]string
	changed int // versions that say something else than the one before
	refused int // records
	rows    int // rows in entries and refused records
	totals  map[ledger.Account]int64
}

func newBooks(t *testing.T) *books {
	return &books{t: t, entries: map[string]ledger.Entry{}, hashes: map[string]string{}, totals: map[ledger.Account]int64{}}
}

func (b *books) Append(_ context.Context, _ string, _ source.Cursor, ds []source.Draft) error {
	for _, d := range ds {
		if d.Kind != decode.Rows {
			continue
		}
		body := guard.Bytes(d.Body)
		var rows profile.Rows
		if err := json.Unmarshal(body, &rows); err != nil {
			b.t.Fatalf("the guard broke a record: %v in %.300s", err, body)
		}
		b.rows += len(rows.Rows)
		rec, err := decode.Decoder{}.Decode(d.Kind, d.ContentType, body)
		if err != nil {
			b.refused++
			continue
		}
		tk := rec.(retail.Ticket)
		day := retail.DateOf(tk.At)
		e, _, err := ledger.Post(rec, day, d.At)
		if err != nil {
			b.refused++
			continue
		}
		v, err := ledger.VersionOf(rec, day)
		if err != nil {
			b.t.Fatal(err)
		}
		b.post(e, v.Hash)
	}
	return nil
}

func (b *books) post(e ledger.Entry, hash string) {
	if had, known := b.hashes[e.Key]; known {
		if had != hash {
			b.changed++
		}
		return
	}
	b.hashes[e.Key], b.entries[e.Key] = hash, e
	for _, p := range e.Postings {
		b.totals[p.Debit] += p.Amount.Minor
		b.totals[p.Credit] -= p.Amount.Minor
	}
}

// role sums the accounts of one role, debit positive.
func (b *books) role(r ledger.Role) (sum int64) {
	for a, n := range b.totals {
		if is, _ := a.Split(); is == r {
			sum += n
		}
	}
	return sum
}

// take imports a file twice: what the second time changes is a fault.
func take(t *testing.T, path, name string) (*books, filedrop.Report) {
	t.Helper()
	p, ok := profile.Shipped(name)
	if !ok {
		t.Fatalf("the profile %s is not shipped", name)
	}
	b := newBooks(t)
	im := filedrop.Import{Path: path, Profile: p, Stream: envelope.History}
	began := time.Now()
	rep, err := im.Run(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d rows, %d tickets, %d rows left for a person; source %s, booked %s, rounding %s; %.1f s", name, rep.Rows, rep.Tickets, rep.Cases,
		rep.Source, rep.Booked, rep.Rounded, time.Since(began).Seconds())
	if rep.Rows != rep.Lines+rep.Cases || rep.Rows != b.rows {
		t.Errorf("%d rows, %d in tickets and %d in cases; %d arrived", rep.Rows, rep.Lines, rep.Cases, b.rows)
	}
	if len(b.entries) != rep.Tickets {
		t.Errorf("%d tickets told, %d entries made", rep.Tickets, len(b.entries))
	}
	entries, rows, totals := len(b.entries), b.rows, b.role(ledger.Tender)
	again, err := im.Run(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.entries) != entries || b.changed != 0 || b.role(ledger.Tender) != totals {
		t.Errorf("the same file again changed the books: %d entries before, %d after, %d versions", entries, len(b.entries), b.changed)
	}
	if b.rows != 2*rows || again.Booked != rep.Booked || again.SHA256 != rep.SHA256 {
		t.Errorf("the same file again reads as another")
	}
	return b, rep
}

// reckoner sums by ticket on its own: encoding/csv and fractions.
type reckoner struct {
	exact   map[string]*big.Rat
	total   *big.Rat
	rows    int
	skipped int
}

func reckon(t *testing.T, path string, each func(cell func(string) string) (id string, worth *big.Rat, counts bool)) *reckoner {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	header, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, h := range header {
		at[h] = i
	}
	out := &reckoner{exact: map[string]*big.Rat{}, total: new(big.Rat)}
	for {
		row, err := r.Read()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out.rows++
		id, worth, counts := each(func(name string) string { return row[at[name]] })
		if !counts {
			out.skipped++
			continue
		}
		if out.exact[id] == nil {
			out.exact[id] = new(big.Rat)
		}
		out.exact[id].Add(out.exact[id], worth)
		out.total.Add(out.total, worth)
	}
}

// cents rounds each ticket half away from zero and sums.
func (r *reckoner) cents() (sum int64) {
	for _, x := range r.exact {
		n := new(big.Rat).Mul(x, big.NewRat(100, 1))
		twice := new(big.Int).Mul(n.Num(), big.NewInt(2))
		abs := new(big.Int).Abs(twice)
		abs.Add(abs, n.Denom()).Quo(abs, new(big.Int).Mul(n.Denom(), big.NewInt(2)))
		if n.Sign() < 0 {
			abs.Neg(abs)
		}
		sum += abs.Int64()
	}
	return sum
}

func rat(t *testing.T, s string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("%q is no number", s)
	}
	return r
}

// same compares decimal texts by value.
func same(t *testing.T, what, got string, want *big.Rat) {
	t.Helper()
	if rat(t, got).Cmp(want) != 0 {
		t.Errorf("%s: got %s, want %s", what, got, want.FloatString(6))
	}
}

func compare(t *testing.T, b *books, rep filedrop.Report, own *reckoner) {
	t.Helper()
	if rep.Rows != own.rows || rep.Cases != own.skipped || rep.Tickets != len(own.exact) {
		t.Errorf("got %d rows, %d left, %d tickets; the file has %d, %d, %d", rep.Rows, rep.Cases, rep.Tickets, own.rows, own.skipped, len(own.exact))
	}
	cents := own.cents()
	if got := b.role(ledger.Tender); got != cents {
		t.Errorf("the ledger has %d cents paid, the file %d", got, cents)
	}
	same(t, "source total", rep.Source, own.total)
	same(t, "booked total", rep.Booked, big.NewRat(cents, 100))
	same(t, "rounding", rep.Rounded, new(big.Rat).Sub(big.NewRat(cents, 100), own.total))
}
