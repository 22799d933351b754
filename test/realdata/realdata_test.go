// Package realdata_test runs public data of real and simulated shops through the line's own code: file, profile, buffer's sink, decode,
// ledger, roll-up. The sums beside it are made here, with nothing of the product.
package realdata_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/filedrop"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

// data opens a file of the test data, unzipped into a folder of the test.
func data(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("TILLPOST_DATA")
	if dir == "" {
		t.Skip("TILLPOST_DATA is not set: no public data to run on")
	}
	path := filepath.Join(dir, name)
	if !strings.HasSuffix(name, ".gz") {
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
	out := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(name), ".gz"))
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

// hub is a store behind a sink: what an agent would send is committed at once.
type hub struct {
	*store.Store
	mean  func(*envelope.Envelope) ingest.Meaning
	epoch envelope.Epoch
	head  ingest.Head
	seq   uint64
	prev  envelope.Sum
	zone  *time.Location
}

func newHub(t *testing.T, zone string) *hub {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{Store: s, epoch: envelope.NewEpoch(), zone: z}
	r := meaning.Reader{Trading: func(retail.LocationCode, time.Time) (retail.Trading, bool) { return retail.Trading{Zone: z}, true }}
	h.mean = r.Mean
	if err := s.InTx(t.Context(), func(tx *store.Tx) error { return tx.AddDevice(t.Context(), "import", "", "test") }); err != nil {
		t.Fatal(err)
	}
	return h
}

// Append implements source.Sink.
func (h *hub) Append(ctx context.Context, _ string, _ source.Cursor, ds []source.Draft) error {
	a := ingest.Advance{From: h.head}
	for _, d := range ds {
		h.seq++
		e := envelope.Envelope{Device: "import", Stream: envelope.History, Pos: envelope.Position{Epoch: h.epoch, Seq: h.seq}, Location: d.Location, Kind: d.Kind, Key: d.Key,
			ContentType: d.ContentType, At: d.At, Body: guard.Bytes(d.Body), Part: 1, Parts: 1}.Seal(h.prev)
		h.prev = e.Sum
		a.Envs = append(a.Envs, ingest.Accepted{Env: &e, Meaning: h.mean(&e)})
	}
	if err := h.Commit(ctx, []ingest.Advance{a}); err != nil {
		return err
	}
	var err error
	h.head, err = h.Store.Head(ctx, "import", envelope.History, h.epoch)
	return err
}

// books makes a fake Odoo, sets it up and returns a roller and a writer on it.
func (h *hub) books(t *testing.T, o odoo.SetupOptions) (*roll.Roller, *odoo.Writer) {
	t.Helper()
	f, err := fake.New(fake.Options{Version: 18})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	c, err := odoo.New(odoo.Config{URL: srv.URL, Database: "odoo", User: "tillpost", Key: func() (string, error) { return "key", nil }})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := odoo.Setup(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.SetRules(t.Context(), rep.Rules, "test", ""); err != nil {
		t.Fatal(err)
	}
	if err := h.SetBooks(t.Context(), rep.Books, "test"); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	return &roll.Roller{Store: h.Store, Log: log, Options: roll.Options{AutoApprove: true}}, odoo.NewWriter("realdata", c, store.Outbox{Store: h.Store}, log)
}

// settle rolls up and posts until nothing is left.
func settle(t *testing.T, r *roll.Roller, w *odoo.Writer) {
	t.Helper()
	for {
		rolled, _, err := r.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		posted, err := w.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !rolled && !posted {
			return
		}
	}
}

// confirm registers the locations.
func (h *hub) confirm(t *testing.T, codes []string) map[retail.LocationCode]string {
	t.Helper()
	out := map[retail.LocationCode]string{}
	for _, c := range codes {
		out[retail.LocationCode(c)] = c
		f := view.LocationForm{Code: retail.LocationCode(c), Name: c, Zone: h.zone.String(), Cutoff: "00:00", Currency: "USD"}
		if err := h.PutLocation(t.Context(), f, "test"); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// figures are what a store-day list adds up to.
func (h *hub) figures(t *testing.T) (tickets int, total, suspense, difference money.Amount, days, verified int) {
	t.Helper()
	ds, err := h.DayViews(t.Context(), view.DayFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range ds {
		days++
		tickets += d.Tickets
		total.Minor += d.Gross.Minor + d.Tax.Minor
		difference.Minor += d.Odoo.Difference.Minor
		if d.State == roll.Verified {
			verified++
		} else {
			t.Logf("%s is %s: %s", d.Key, d.State, d.Why)
		}
	}
	open, err := h.CaseViews(t.Context(), view.CaseFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range open {
		if c.Cause == cases.UnknownCode { // each stands for money in suspense
			suspense.Minor += max(c.Amount.Minor, -c.Amount.Minor)
		}
	}
	return tickets, total, suspense, difference, days, verified
}

func TestRealData(t *testing.T) {
	for _, c := range []struct {
		name, file, profile, zone string
		locations                 []string
		setup                     odoo.SetupOptions
		rows, tickets, cases      int
		source                    string
	}{
		{"supermarket", "supermarket_3branches/supermarket_sales.csv", "supermarket", "Asia/Yangon", []string{"A", "B", "C"},
			odoo.SetupOptions{Tenders: []string{"cash", "ewallet", "credit_card"}, Taxes: []string{"5%"}}, 1000, 1000, 0, "322966.749"},
		{"completejourney", "completejourney/transactions_sample.csv.gz", "completejourney", "UTC", nil, odoo.SetupOptions{}, 75000, 47243, 0, "233935.24"},
		// The three bad-debt rows are the cases: 9747747.934 less 11062.06 twice negative and once positive.
		{"online_retail", "online_retail/online_retail.csv.gz", "online-retail", "Europe/London", []string{"UK"}, odoo.SetupOptions{}, 541909, 25897, 3, "9758809.994"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := data(t, c.file)
			if testing.Short() && c.rows > 10_000 {
				t.Skip("large; left out of short runs")
			}
			h := newHub(t, c.zone)
			p, ok := profile.Shipped(c.profile)
			if !ok {
				t.Fatalf("no shipped profile %s", c.profile)
			}
			im := filedrop.Import{Path: path, Profile: p, Stream: envelope.History}
			rep, err := im.Run(t.Context(), h)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d rows = %d in %d tickets + %d cases; source %s, booked %s, rounding %s", rep.Rows, rep.Lines, rep.Tickets, rep.Cases, rep.Source, rep.Booked, rep.Rounded)
			if rep.Rows != c.rows || rep.Lines+rep.Cases != rep.Rows || rep.Tickets != c.tickets || rep.Cases != c.cases || rep.Source != c.source {
				t.Errorf("got %+v", rep)
			}
			codes := c.locations
			if codes == nil {
				ls, err := h.LocationViews(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range ls {
					codes = append(codes, string(l.Code))
				}
			}
			c.setup.Locations = h.confirm(t, codes)
			r, w := h.books(t, c.setup)
			settle(t, r, w)
			tickets, total, suspense, difference, days, verified := h.figures(t)
			booked := money.Of(total.Minor, "USD").DecimalOf().String()
			t.Logf("%d locations, %d store-days, %d verified in Odoo; booked %s, suspense %d, difference to Odoo %d cents", len(codes), days, verified, booked, suspense.Minor, difference.Minor)
			if booked != rep.Booked || suspense.Minor != 0 || difference.Minor != 0 || days != verified {
				t.Errorf("file %s, ledger %s", rep.Booked, booked)
			}
			h.again(t, im, r, w, tickets, total)
		})
	}
}

// again imports the same file once more: nothing may change.
func (h *hub) again(t *testing.T, im filedrop.Import, r *roll.Roller, w *odoo.Writer, tickets int, total money.Amount) {
	t.Helper()
	before := h.documents(t)
	if _, err := im.Run(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	settle(t, r, w)
	n, sum, _, _, _, _ := h.figures(t)
	if n != tickets || sum != total || h.documents(t) != before {
		t.Errorf("the same file again: %d tickets and %d cents instead of %d and %d", n, sum.Minor, tickets, total.Minor)
	}
}

func (h *hub) documents(t *testing.T) string {
	t.Helper()
	n := 0
	ds, err := h.DayViews(t.Context(), view.DayFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range ds {
		n += len(strings.Split(d.Odoo.Entry, ", "))
	}
	return fmt.Sprint(n)
}

// odd is a profile that reads any CSV with these two columns.
const odd = "name='odd'\nformat='%s'\nsystem='odd'\ncurrency='USD'\nzone='UTC'\ntimes=['2006-01-02']\n[ticket]\nid='{a}'\nlocation='X'\nat='{b}'\n[[line]]\nkind='item'\ncategory='{c}'\namount='{d}'\n[[tender]]\ntype='cash'\n"

// TestHostileFiles feeds files that other programs broke on: every row is a ticket or is listed, nothing crashes, and no card number stays.
func TestHostileFiles(t *testing.T) {
	dir := filepath.Dir(data(t, "README.md"))
	var files []string
	for _, sub := range []string{"naughty_strings", "csv_spectrum", "json_test_suite", "pan_detection"} {
		err := filepath.WalkDir(filepath.Join(dir, sub), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".gz") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	h := newHub(t, "UTC")
	rows, cases := 0, 0
	for _, path := range files {
		for _, format := range []string{"csv", "json", "ndjson", "xlsx"} {
			p, err := profile.Parse(fmt.Appendf(nil, odd, format))
			if err != nil {
				t.Fatal(err)
			}
			rep, err := filedrop.Import{Path: path, Profile: p, Stream: envelope.History}.Run(t.Context(), h)
			if err != nil {
				t.Errorf("%s as %s: %v", filepath.Base(path), format, err)
				continue
			}
			if rep.Rows > rep.Lines+rep.Cases {
				t.Errorf("%s as %s: %d rows, %d in tickets, %d listed", filepath.Base(path), format, rep.Rows, rep.Lines, rep.Cases)
			}
			rows, cases = rows+rep.Rows, cases+rep.Cases
		}
	}
	t.Logf("%d files, each in four formats: %d rows, %d listed", len(files), rows, cases)
	lines := naughty(t, filepath.Join(dir, "naughty_strings"))
	sheet := filepath.Join(t.TempDir(), "naughty.csv")
	if err := os.WriteFile(sheet, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	p, _ := profile.Parse(fmt.Appendf(nil, odd, "csv"))
	rep, err := filedrop.Import{Path: sheet, Profile: p, Stream: envelope.History}.Run(t.Context(), h)
	if err != nil || rep.Rows != rep.Lines+rep.Cases || rep.Tickets == 0 {
		t.Fatalf("naughty categories: %+v %v", rep, err)
	}
	t.Logf("naughty categories: %d tickets, %d listed", rep.Tickets, rep.Cases)
}

// naughty makes a sheet with each naughty string as a category.
func naughty(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("a,b,c,d\n")
	names, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no naughty strings: %v", err)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range strings.Split(string(text), "\n") {
		fmt.Fprintf(&b, "%d,2026-11-20,\"%s\",1.00\n", i, strings.ReplaceAll(strings.ToValidUTF8(s, "?"), `"`, `""`))
	}
	return b.String()
}
