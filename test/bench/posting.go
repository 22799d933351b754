package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/hub/app"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/line"
)

const storeDays = 300

// posting brings store-days into Odoo, beside what a bare client needs that sends the same payloads of load and action_post, entry by entry,
// and reads nothing back.
func posting(ctx context.Context, dir string, o options) (r result, err error) {
	cfg, stop, err := books(dir)
	if err != nil {
		return r, err
	}
	defer stop()
	c, err := app.OpenOdoo(cfg)
	if err != nil {
		return r, err
	}
	rep, err := odoo.Setup(ctx, c, odoo.SetupOptions{Locations: map[retail.LocationCode]string{"S1": "Bench"}, Tenders: []string{"cash"}})
	if err != nil {
		return r, err
	}
	docs := make([]rollup.Document, storeDays)
	for i := range docs {
		docs[i] = storeDay(rep, i)
	}
	out := &outbox{}
	w := odoo.NewWriter(envelope.HubID(envelope.NewEpoch().String()), c, out, slog.New(slog.DiscardHandler))
	out.add(docs[:1]) // login and chart are a hub's, not a store-day's
	if _, err := w.Step(ctx); err != nil {
		return r, err
	}
	out.add(docs[1:])
	if err := o.profile.begin(); err != nil {
		return r, err
	}
	calls, begun := c.Calls(), time.Now()
	for worked := true; worked; {
		if worked, err = w.Step(ctx); err != nil {
			return r, err
		}
	}
	ours, calls := time.Since(begun), c.Calls()-calls
	o.profile.end()
	bare, err := bareClient(ctx, c, docs[1:])
	if err != nil {
		return r, err
	}
	n, wanted := float64(storeDays-1), mostRaw(1.2)
	if os.Getenv("ODOO_URL") == "" {
		wanted = want{} // a fake has no work of its own: the ratio would compare the reading back with nothing
	}
	r.figures = []figure{
		{fmt.Sprintf("%d store-days posted and verified", storeDays), ours.Seconds(), " s", bare.Seconds(), wanted},
		{"a store-day", ours.Seconds() * 1000 / n, " ms", 0, want{}},
		{"calls to Odoo for a store-day, in bulk", float64(calls) / n, "", 0, atMost(8)},
	}
	r.lost, r.doubled = storeDays-out.verified(), out.twice
	return r, nil
}

// books is the Odoo that the environment names, else a fake one.
func books(dir string) (cfg app.OdooConfig, stop func(), err error) {
	if url := os.Getenv("ODOO_URL"); url != "" {
		key := filepath.Join(dir, "odoo.key")
		return app.OdooConfig{URL: url, Database: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"), KeyFile: key}, func() {}, os.WriteFile(key, []byte(os.Getenv("ODOO_KEY")+"\n"), 0o600)
	}
	f, err := line.StartFakeOdoo()
	if err != nil {
		return cfg, nil, err
	}
	cfg, err = f.Config(dir)
	return cfg, f.Close, err
}

// storeDay is the i-th store-day, of fourteen lines.
func storeDay(rep odoo.SetupReport, i int) rollup.Document {
	account := func(r ledger.Role, code string) string {
		for _, m := range rep.Rules {
			if m.Role == r && m.Code == code {
				return m.Target.Account
			}
		}
		return rep.Books.Suspense
	}
	day := retail.DateOf(time.Now()).AddDays(-1 - i%20)
	d := rollup.Document{Key: rollup.DayKey{Location: "S1", Day: day}, Date: day, Number: 1000 + i, Kind: rollup.DayDocument, Currency: "USD", Journal: rep.Books.Journal, Hash: "0123456789abcdef"}
	for k := range 7 {
		cents := int64(1000 + i*7 + k)
		d.Lines = append(d.Lines,
			rollup.Line{Measure: ledger.Of(ledger.Sales, fmt.Sprint(k)), Label: fmt.Sprintf("sales:%d", k), Account: account(ledger.Sales, "*"), Amount: money.Of(-cents, "USD")},
			rollup.Line{Measure: ledger.Of(ledger.Tender, fmt.Sprint(k)), Label: fmt.Sprintf("tender:%d", k), Account: account(ledger.Tender, "cash"), Amount: money.Of(cents, "USD")})
	}
	return d
}

// outbox keeps tasks in memory: what the database costs is the drain's figure.
type outbox struct {
	tasks []*task
	twice int // documents of which Odoo was told in two entries
}

type task struct {
	odoo.Task
	done bool
	last odoo.Outcome
}

func (o *outbox) add(ds []rollup.Document) {
	for _, d := range ds {
		o.tasks = append(o.tasks, &task{Task: odoo.Task{Document: d, Date: d.Date}})
	}
}

func (o *outbox) find(id string) *task {
	for _, t := range o.tasks {
		if t.Document.ID() == id {
			return t
		}
	}
	return nil
}

func (o *outbox) verified() (n int) {
	for _, t := range o.tasks {
		if t.last.Verdict == odoo.Done {
			n++
		}
	}
	return n
}

func (o *outbox) Claim(_ context.Context, most int) (out []odoo.Task, err error) {
	for _, t := range o.tasks {
		if !t.done && len(out) < most {
			out = append(out, t.Task)
		}
	}
	return out, nil
}

func (o *outbox) Loaded(_ context.Context, ts []odoo.Task) error {
	for _, t := range ts {
		have := o.find(t.Document.ID())
		if have.Move != 0 && have.Move != t.Move {
			o.twice++
		}
		have.Move, have.Date = t.Move, t.Date
	}
	return nil
}

func (o *outbox) Settle(_ context.Context, out []odoo.Outcome) error {
	for _, u := range out {
		t := o.find(u.Document)
		if u.Verdict == odoo.Wait {
			return fault.Msg(fault.Unavailable, "bench", "Odoo keeps "+u.Document+" waiting: "+u.Why)
		}
		t.last, t.done = u, true
	}
	return nil
}

func (o *outbox) Verified(context.Context, time.Time, string, int) ([]odoo.Task, error) {
	return nil, nil
}

// bareClient sends the same lines under other ids.
func bareClient(ctx context.Context, c *odoo.Client, docs []rollup.Document) (time.Duration, error) {
	ids := map[string]map[string]int64{}
	for model, field := range map[string]string{"account.account": "code", "account.journal": "code", "account.analytic.account": "code"} {
		got, err := c.Call(ctx, model, "search_read", []any{[]any{}}, map[string]any{"fields": []string{field}})
		if err != nil {
			return 0, err
		}
		ids[model] = map[string]int64{}
		for _, r := range got.([]any) {
			m := r.(map[string]any)
			if code, ok := m[field].(string); ok {
				ids[model][code], _ = m["id"].(int64)
			}
		}
	}
	run, begun := envelope.NewEpoch(), time.Now()
	for i, d := range docs {
		if err := bareDay(ctx, c, ids, fmt.Sprintf("tillpost.bare_%s_%d", run, i), d); err != nil {
			return 0, err
		}
	}
	return time.Since(begun), nil
}

func bareDay(ctx context.Context, c *odoo.Client, ids map[string]map[string]int64, id string, d rollup.Document) error {
	head := []string{"id", "move_type", "journal_id/.id", "date", "ref", "line_ids/account_id/.id", "line_ids/name", "line_ids/debit", "line_ids/credit", "line_ids/analytic_distribution"}
	own := []any{id, "entry", fmt.Sprint(ids["account.journal"][d.Journal]), string(d.Date), "bare " + d.ID()}
	var rows []any
	for _, l := range d.Lines {
		debit, credit := money.Of(max(l.Amount.Minor, 0), "USD"), money.Of(max(-l.Amount.Minor, 0), "USD")
		rows = append(rows, append(own, fmt.Sprint(ids["account.account"][l.Account]), l.Label, debit.Decimal(), credit.Decimal(), fmt.Sprintf(`{"%d": 100}`, ids["account.analytic.account"]["S1"])))
		own = []any{"", "", "", "", ""}
	}
	got, err := c.Call(ctx, "account.move", "load", []any{head, rows}, map[string]any{"context": map[string]any{"mode": "update", "noupdate": true}})
	if err != nil {
		return err
	}
	answer, _ := got.(map[string]any)
	list, _ := answer["ids"].([]any)
	if len(list) != 1 {
		return errors.New(fmt.Sprint("the bare client's load: ", got))
	}
	_, err = c.Call(ctx, "account.move", "action_post", []any{list}, nil)
	return err
}
