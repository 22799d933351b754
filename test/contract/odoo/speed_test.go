package odoo_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
)

// BenchmarkPosting posts and verifies store-days on a real Odoo beside what a bare client needs that sends the same lines one by one,
// load and action_post, and reads nothing back. ODOO_DAYS says how many (300 unless set).
func BenchmarkPosting(b *testing.B) {
	url, key := os.Getenv("ODOO_URL"), os.Getenv("ODOO_KEY")
	if url == "" {
		b.Skip("ODOO_URL is not set: no real Odoo to measure")
	}
	n, _ := strconv.Atoi(os.Getenv("ODOO_DAYS"))
	if n == 0 {
		n = 300
	}
	s := server{cfg: odoo.Config{URL: url, Database: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"), Key: func() (string, error) { return key, nil }}}
	c, err := odoo.New(s.cfg)
	if err != nil {
		b.Fatal(err)
	}
	rep, err := odoo.Setup(b.Context(), c, options)
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
		docs := make([]rollup.Document, n)
		for i := range docs {
			docs[i] = plainDay(rep, i)
		}
		o := newOutbox(docs...)
		w := odoo.NewWriter(newHub(), c, o, discard)
		calls, begun := c.Calls(), time.Now()
		for worked := true; worked; {
			if worked, err = w.Step(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		ours, rpcs := time.Since(begun), c.Calls()-calls
		for _, d := range docs {
			if o.outcome(d).Verdict != odoo.Done {
				b.Fatalf("%s: %s", d.ID(), o.outcome(d).Why)
			}
		}
		bare := bareClient(b, c, docs)
		b.ReportMetric(ours.Seconds(), "s_posted_and_verified")
		b.ReportMetric(bare.Seconds(), "s_bare")
		b.ReportMetric(ours.Seconds()/bare.Seconds(), "ratio")
		b.ReportMetric(float64(rpcs)/float64(n), "calls/day")
	}
}

// plainDay is a store-day of fourteen lines.
func plainDay(rep odoo.SetupReport, i int) rollup.Document {
	find := func(r ledger.Role, code string) string {
		for _, m := range rep.Rules {
			if m.Role == r && m.Code == code {
				return m.Target.Account
			}
		}
		return rep.Books.Suspense
	}
	d := rollup.Document{Key: rollup.DayKey{Location: "S-NY", Day: today.AddDays(-i % 20)}, Number: 1000 + i, Kind: rollup.DayDocument, Currency: "USD", Journal: rep.Books.Journal, Hash: "0123456789abcdef"}
	d.Date = d.Key.Day
	for k := range 7 {
		cents := int64(1000 + i*7 + k)
		d.Lines = append(d.Lines, rollup.Line{Measure: ledger.Of(ledger.Sales, fmt.Sprint(k)), Label: fmt.Sprintf("sales:%d", k), Account: find(ledger.Sales, "*"), Amount: money.Of(-cents, "USD")},
			rollup.Line{Measure: ledger.Of(ledger.Tender, fmt.Sprint(k)), Label: fmt.Sprintf("tender:%d", k), Account: find(ledger.Tender, "cash"), Amount: money.Of(cents, "USD")})
	}
	return d
}

// bareClient sends the same lines, entry by entry, under other ids.
func bareClient(b *testing.B, c *odoo.Client, docs []rollup.Document) time.Duration {
	ids := func(model, field string) map[string]int64 {
		got, err := c.Call(b.Context(), model, "search_read", []any{[]any{}}, map[string]any{"fields": []string{field}})
		if err != nil {
			b.Fatal(err)
		}
		out := map[string]int64{}
		for _, r := range got.([]any) {
			m := r.(map[string]any)
			if code, ok := m[field].(string); ok {
				out[code], _ = m["id"].(int64)
			}
		}
		return out
	}
	accounts, journals, analytic := ids("account.account", "code"), ids("account.journal", "code"), ids("account.analytic.account", "code")
	head := []string{"id", "move_type", "journal_id/.id", "date", "ref", "line_ids/account_id/.id", "line_ids/name", "line_ids/debit", "line_ids/credit", "line_ids/analytic_distribution"}
	run := newHub()
	begun := time.Now()
	for i, d := range docs {
		var rows []any
		own := []any{fmt.Sprintf("tillpost.bare_%s_%d", run, i), "entry", fmt.Sprint(journals[d.Journal]), string(d.Date), "bare " + d.ID()}
		for _, l := range d.Lines {
			debit, credit := money.Of(max(l.Amount.Minor, 0), "USD"), money.Of(max(-l.Amount.Minor, 0), "USD")
			rows = append(rows, append(own, fmt.Sprint(accounts[l.Account]), l.Label, debit.Decimal(), credit.Decimal(), fmt.Sprintf(`{"%d": 100}`, analytic["S-NY"])))
			own = []any{"", "", "", "", ""}
		}
		got, err := c.Call(b.Context(), "account.move", "load", []any{head, rows}, map[string]any{"context": map[string]any{"mode": "update", "noupdate": true}})
		if err != nil {
			b.Fatal(err)
		}
		list, _ := got.(map[string]any)["ids"].([]any)
		if len(list) != 1 {
			b.Fatalf("bare load: %v", got)
		}
		if _, err := c.Call(b.Context(), "account.move", "action_post", []any{list}, nil); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begun)
}
