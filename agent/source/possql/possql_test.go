package possql_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/possql"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// rig is a pcAmerica database on SQLite, with the tables and columns that the shipped profile reads, a source on it, and a clock.
type rig struct {
	t      *testing.T
	db     *sql.DB
	src    *possql.Database
	now    time.Time
	cursor source.Cursor
	file   string
}

const schema = `
CREATE TABLE Invoice_Totals (Store_ID TEXT, Invoice_Number INTEGER, CustNum TEXT, DateTime DATETIME, Total_Price, Grand_Total, Station_ID TEXT, Cashier_ID TEXT, Status TEXT,
  CA_Amount, CC_Amount, OA_Amount, GC_Amount, Taxed_Sales, PRIMARY KEY (Store_ID, Invoice_Number));
CREATE TABLE Invoice_Itemized (Store_ID TEXT, Invoice_Number INTEGER, LineNum INTEGER, ItemNum TEXT, DiffItemName TEXT, Quantity, PricePer, Tax1Per, Tax2Per, Tax3Per);
CREATE TABLE Inventory (ItemNum TEXT, ItemName TEXT, Dept_ID TEXT);
INSERT INTO Inventory VALUES ('100', 'Coffee', 'DRINKS'), ('100', 'Coffee again', 'DRINKS'), ('200', 'Bagel', 'FOOD');`

// onSQLite is the shipped profile for this test's database: the same query on another driver.
func onSQLite(t *testing.T) *profile.Profile {
	t.Helper()
	p, ok := profile.Shipped("pcamerica")
	if !ok {
		t.Fatal("the profile is not shipped")
	}
	own, err := profile.Parse([]byte(strings.Replace(string(p.TOML()), `driver = "sqlserver"`, `driver = "sqlite3"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, file: filepath.Join(t.TempDir(), "cre sql.db"), now: time.Date(2026, 11, 25, 20, 0, 0, 0, time.UTC)} // 14:00 in Chicago
	var err error
	if r.db, err = sql.Open("sqlite3", "file:"+r.file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.db.Close() })
	r.exec(schema)
	r.src = r.open(onSQLite(t))
	return r
}

func (r *rig) open(p *profile.Profile) *possql.Database {
	r.t.Helper()
	d, err := possql.New("pos", possql.Options{Server: possql.Server{Address: r.file, Database: "cresql"}, Profile: p, Location: "S-17", Zone: "America/Chicago",
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return r.now }})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) exec(q string, args ...any) {
	r.t.Helper()
	if _, err := r.db.Exec(q, args...); err != nil {
		r.t.Fatal(err)
	}
}

// sell rings up two coffees and a bagel with 8 % tax, at a wall clock time.
func (r *rig) sell(invoice int, wall string) {
	r.t.Helper()
	r.exec(`INSERT INTO Invoice_Totals VALUES ('1001', ?, 'C9', ?, '9.00', '9.72', '01', 'ann', 'C', '9.72', '0', '0', '0', '9.00')`, invoice, wall)
	r.exec(`INSERT INTO Invoice_Itemized VALUES ('1001', ?, 1, '100', 'Coffee', '2', '3.25', '0.26', '0', '0'), ('1001', ?, 2, '200', 'Bagel', '1', '2.50', '0.20', NULL, '0')`, invoice, invoice)
}

// look lets d pass, reads until nothing comes, and stores it.
func (r *rig) look(d time.Duration) (out []source.Draft) {
	r.t.Helper()
	r.now = r.now.Add(d)
	for range 200 {
		ds, next, err := r.src.Read(r.t.Context(), r.cursor, 3)
		if err != nil {
			r.t.Fatal(err)
		}
		out = append(out, ds...)
		if len(ds) == 0 && next == r.cursor {
			return out
		}
		r.cursor = next
	}
	r.t.Fatal("reading does not end")
	return nil
}

// settle looks often enough that everything has stood still and the first long comparison is over.
func (r *rig) settle() (out []source.Draft) {
	r.t.Helper()
	for range 45 {
		out = append(out, r.look(20*time.Second)...)
	}
	return out
}

// tickets decodes what came, as the hub would.
func (r *rig) tickets(ds []source.Draft, p *profile.Profile) (out []retail.Ticket, refused []string) {
	r.t.Helper()
	dec := decode.Decoder{Profiles: func(_, _ string) (*profile.Profile, error) { return p, nil }}
	for _, d := range ds {
		if d.Kind != decode.Rows {
			continue
		}
		rec, err := dec.Decode(d.Kind, d.ContentType, d.Body)
		if err != nil {
			refused = append(refused, err.Error())
			continue
		}
		out = append(out, rec.(retail.Ticket))
	}
	return out, refused
}

func TestSalesEditsAndVoids(t *testing.T) {
	r, p := newRig(t), onSQLite(t)
	for n := range 10 {
		r.sell(n+1, fmt.Sprintf("2026-11-25T1%d:00:00", n%4))
	}
	ds := r.settle()
	ts, refused := r.tickets(ds, p)
	if len(ts) != 10 || len(refused) != 0 {
		t.Fatalf("%d tickets, refused %v", len(ts), refused)
	}
	x := ts[0]
	if err := x.Validate(r.now); err != nil {
		t.Error(err)
	}
	total, _ := x.Total()
	if total.Minor != 972 || len(x.Lines) != 3 || x.Lines[0].Category != "DRINKS" || x.Key.Scope != "1001" || x.Location != "S-17" || x.Till != "01" ||
		x.At.Format(time.RFC3339) != "2026-11-25T16:00:00Z" || len(x.Tenders) != 1 || x.Tenders[0].Type != "cash" {
		t.Errorf("%+v", x)
	}
	if ds[0].Kind != decode.Profile { // a profile that the hub cannot know goes ahead
		t.Errorf("first came %s", ds[0].Kind)
	}
	// A tip after the fact and a void an hour later are new versions; nothing else comes again.
	r.exec(`UPDATE Invoice_Totals SET CA_Amount = '0', CC_Amount = '9.72' WHERE Invoice_Number = 3`)
	r.exec(`UPDATE Invoice_Totals SET Status = 'V' WHERE Invoice_Number = 4`)
	ts, refused = r.tickets(append(r.look(11*time.Minute), r.look(20*time.Second)...), p)
	if len(ts) != 2 || len(refused) != 0 || ts[0].Tenders[0].Type != "credit_card" || ts[1].Kind != retail.Void || ts[0].Key.ID != "3" || ts[1].Key.ID != "4" {
		t.Errorf("%d tickets %+v, refused %v", len(ts), ts, refused)
	}
	// What is deleted leaves no row: a person is asked.
	r.exec(`DELETE FROM Invoice_Totals WHERE Invoice_Number = 5`)
	ts, refused = r.tickets(append(r.look(11*time.Minute), r.look(20*time.Second)...), p)
	if len(ts) != 0 || len(refused) != 1 || !strings.Contains(refused[0], "ticket 5 was sent before and is gone") {
		t.Errorf("%d tickets, refused %v", len(ts), refused)
	}
	// Another process with the same cursor sends nothing anew.
	r.src = r.open(p)
	if ts, refused = r.tickets(r.settle(), p); len(ts)+len(refused) != 0 {
		t.Errorf("after a restart %d tickets and %v came again", len(ts), refused)
	}
}

// A ticket whose lines are written after its head is not taken in between.
func TestHalfWrittenTicketWaits(t *testing.T) {
	r, p := newRig(t), onSQLite(t)
	r.settle()
	r.exec(`INSERT INTO Invoice_Totals VALUES ('1001', 7, '', '2026-11-25T14:10:00', '6.50', '6.50', '01', 'ann', 'C', '6.50', '0', '0', '0', '0')`)
	r.exec(`INSERT INTO Invoice_Itemized VALUES ('1001', 7, 1, '100', 'Coffee', '1', '3.25', '0', '0', '0')`)
	first := r.look(20 * time.Second)
	r.exec(`INSERT INTO Invoice_Itemized VALUES ('1001', 7, 2, '100', 'Coffee', '1', '3.25', '0', '0', '0')`)
	ts, refused := r.tickets(append(append(first, r.look(20*time.Second)...), r.look(20*time.Second)...), p)
	if len(ts) != 1 || len(refused) != 0 || len(ts[0].Lines) != 2 {
		t.Errorf("%+v %v", ts, refused)
	}
}

// Which lines are taxed is told where the invoice itself says the same of their sum, and of no other invoice: a guess would stand in a tax return.
func TestLinesSayWhatIsTaxedWhereTheInvoiceProvesIt(t *testing.T) {
	r, p := newRig(t), onSQLite(t)
	for i, x := range []struct{ price, grand, taxed, coffee, bagel string }{
		{"9.00", "9.52", "6.50", "0.26", "0"},   // the bagel is not taxed
		{"9.00", "9.52", "6.50", "8", "0"},      // a rate, and not an amount per piece
		{"9.00", "9.72", "9.00", "0.26", "0"},   // the invoice says otherwise
		{"9.00", "9.72", "", "0.26", "0.20"},    // it says nothing
		{"9.00", "9.00", "9.00", "0.26", "0.2"}, // no tax was taken
		{"8.00", "8.64", "8.00", "0.26", "0.2"}, // a dollar off the whole, and nobody says off what
	} {
		taxed := any(x.taxed)
		if x.taxed == "" {
			taxed = nil
		}
		r.exec(`INSERT INTO Invoice_Totals VALUES ('1001', ?, '', '2026-11-25T13:00:00', ?, ?, '01', 'ann', 'C', ?, '0', '0', '0', ?)`, i+1, x.price, x.grand, x.grand, taxed)
		r.exec(`INSERT INTO Invoice_Itemized VALUES ('1001', ?, 1, '100', 'Coffee', '2', '3.25', ?, '0', '0'), ('1001', ?, 2, '200', 'Bagel', '1', '2.50', '0', ?, NULL)`, i+1, x.coffee, i+1, x.bagel)
	}
	ts, refused := r.tickets(r.settle(), p)
	if len(ts) != 6 || len(refused) != 0 {
		t.Fatalf("%d tickets, %v", len(ts), refused)
	}
	for _, x := range ts {
		got := ""
		for _, l := range x.Lines {
			if len(l.Taxes) > 0 {
				got += fmt.Sprint(l.Code, " ", l.Taxes, " ")
			}
		}
		if want := map[string]string{"1": "100 [all] ", "2": "100 [all] "}[x.Number]; got != want {
			t.Errorf("invoice %s: taxed are %q, want %q", x.Number, got, want)
		}
	}
}

// Old days come behind today's sales, once; an edit three weeks back is found by night.
func TestOldDays(t *testing.T) {
	r, p := newRig(t), onSQLite(t)
	for n := range 5 {
		r.sell(100+n, fmt.Sprintf("2026-11-0%dT12:00:00", n+1))
	}
	ds := r.settle()
	if ts, _ := r.tickets(ds, p); len(ts) != 5 {
		t.Fatalf("%d old tickets", len(ts))
	}
	for _, d := range ds {
		if d.Kind == decode.Rows && d.Stream != envelope.History {
			t.Errorf("old ticket %s goes with today's sales", d.Key)
		}
	}
	r.exec(`UPDATE Invoice_Totals SET Status = 'V' WHERE Invoice_Number = 102`)
	r.now = time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC) // 04:00 in Chicago
	ts, refused := r.tickets(r.settle(), p)
	if len(ts) != 1 || ts[0].Kind != retail.Void || ts[0].Key.ID != "102" || len(refused) != 0 {
		t.Errorf("%+v %v", ts, refused)
	}
	r.exec(`DELETE FROM Invoice_Totals WHERE Invoice_Number = 103`)
	r.now = r.now.Add(24 * time.Hour)
	if _, refused = r.tickets(r.settle(), p); len(refused) != 1 || !strings.Contains(refused[0], "1 tickets of 2026-11-04 are gone") {
		t.Errorf("%v", refused)
	}
}

// A day that has become old is known by the tickets that were sent: the night does not send it again.
func TestDaysAge(t *testing.T) {
	r, p := newRig(t), onSQLite(t)
	for n := range 4 {
		r.sell(n+1, "2026-11-25T10:00:00")
	}
	r.settle()
	r.now = r.now.Add(3 * 24 * time.Hour)
	if ts, _ := r.tickets(r.settle(), p); len(ts) != 0 {
		t.Errorf("%d tickets of a day that has aged came again", len(ts))
	}
}

func TestMarks(t *testing.T) {
	r := newRig(t)
	r.sell(1, "2026-11-25T13:00:00")
	var through []time.Time
	for _, d := range r.settle() {
		var m retail.ReadTo
		if d.Kind == decode.ReadTo && json.Unmarshal(d.Body, &m) == nil {
			if m.Location != "S-17" || m.Source != "possql/pos" {
				t.Errorf("%+v", m)
			}
			through = append(through, m.Through)
		}
	}
	if len(through) == 0 || !slices.IsSortedFunc(through, time.Time.Compare) || !through[len(through)-1].Before(r.now) {
		t.Errorf("%v", through)
	}
}

// What no repetition mends is refused and says what to do; what may come back is tried again.
func TestTrouble(t *testing.T) {
	for words, query := range map[string]string{
		"no such table":                "SELECT 1 FROM absent_table WHERE @from < @to",
		"does not give the columns":    "SELECT 1 AS Invoice_Number WHERE @from < @to",
		"let the profile's query cast": "SELECT 1 AS Store_ID, 1 AS Invoice_Number, '2026-11-25T10:00:00' AS DateTime, 'C' AS Status, 1 AS Station_ID, '' AS Cashier_ID, '' AS CustNum, 0.1 AS Adjustment, 0 AS Tax, 0 AS CA_Amount, 0 AS CC_Amount, 0 AS OA_Amount, 0 AS GC_Amount, 1 AS LineNum, 1 AS ItemNum, '' AS DiffItemName, '' AS Dept_ID, 1 AS Quantity, 1 AS PricePer WHERE @from < @to",
	} {
		r := newRig(t)
		p := onSQLite(t)
		own, err := profile.Parse(replaceQuery(p, query))
		if err != nil {
			t.Fatal(err)
		}
		r.src = r.open(own)
		if ds := r.look(time.Minute); len(ds) != 0 {
			t.Errorf("%s: %d drafts", words, len(ds))
		}
		if s := r.src.Breakers()[0].Status(); s.State != breaker.Refused || !strings.Contains(s.Reason, words) {
			t.Errorf("%s: %+v", words, s)
		}
	}
	r := newRig(t)
	r.file = filepath.Join(t.TempDir(), "nothing.db")
	r.src = r.open(onSQLite(t))
	for range 6 {
		r.look(time.Minute)
	}
	if s := r.src.Breakers()[0].Status(); s.State != breaker.Open {
		t.Errorf("%+v", s)
	}
}

// Nothing that a profile says can change the database.
func TestReadOnly(t *testing.T) {
	r := newRig(t)
	r.sell(1, "2026-11-25T13:00:00")
	own, err := profile.Parse(replaceQuery(onSQLite(t), "DELETE FROM Invoice_Totals WHERE DateTime BETWEEN @from AND @to RETURNING *"))
	if err != nil {
		t.Fatal(err)
	}
	r.src = r.open(own)
	r.settle()
	var n int
	if err := r.db.QueryRow(`SELECT count(*) FROM Invoice_Totals`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d tickets left: %v", n, err)
	}
}

func replaceQuery(p *profile.Profile, query string) []byte {
	text := string(p.TOML())
	from := strings.Index(text, `rows = """`)
	to := from + len(`rows = """`) + strings.Index(text[from+len(`rows = """`):], `"""`) + 3
	return []byte(text[:from] + `rows = """` + query + `"""` + text[to:])
}

// A profile that changes goes ahead of the first rows that it makes, though another went ahead before.
func TestAChangedProfileGoesAhead(t *testing.T) {
	r, p := newRig(t), onSQLite(t)
	r.sell(1, "2026-11-25T10:00:00")
	r.settle()
	changed, err := profile.Parse(append([]byte("group = ','\n"), p.TOML()...))
	if err != nil {
		t.Fatal(err)
	}
	r.src = r.open(changed)
	r.sell(2, "2026-11-25T11:00:00")
	ds := r.settle()
	versions := 0
	for i, d := range ds {
		var rows profile.Rows
		if d.Kind == decode.Rows && json.Unmarshal(d.Body, &rows) == nil && rows.Version == changed.Version() {
			versions++
		}
		if first := i == 0; (d.Kind == decode.Profile) != first || first && string(d.Body) != string(changed.TOML()) {
			t.Errorf("record %d is %s", i, d.Kind)
		}
	}
	if versions != 1 {
		t.Errorf("%d records are of the changed version, in %+v", versions, ds)
	}
}
