package odoo

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// OldQuery names what another way has posted of some locations.
type OldQuery struct {
	Hub      envelope.HubID // whose own entries are left out
	From, To retail.BusinessDate
	// Journals has a journal code for each location. A journal that only one location names is wholly its own; in one that several share, and with
	// "", an item is known by its analytic account.
	Journals map[retail.LocationCode]string
}

// OldItem is a posted journal item. Location is "" when neither journal nor analytic account says whose it is.
type OldItem struct {
	Entry    string
	Date     retail.BusinessDate
	Account  string
	Label    string
	Minor    int64
	Location retail.LocationCode
}

// Old is what was read, with the accounts that documents of ours would go to.
type Old struct {
	Items []OldItem
	Open  int // items that belong to entries of several locations and name none themselves: they are in nobody's sum

	chart *chart
}

// oldMost bounds a comparison: a month of 300 stores with 20 items a day is 180,000.
const oldMost = 200_000

// oldDays bounds its span.
const oldDays = 92

// OldWay reads what stands in the books beside Tillpost: posted items of general, sale and cash journals in a span of dates. It changes nothing.
// Code invalid for a span that is too long or a journal that Odoo does not have.
func OldWay(ctx context.Context, c *Client, q OldQuery) (o Old, err error) {
	if n := q.To.DaysSince(q.From); n < 0 || n >= oldDays {
		return o, fault.Msg(fault.Invalid, "read the old way's entries", fmt.Sprintf("from %s to %s is no span of 1 to %d days", q.From, q.To, oldDays))
	}
	if o.chart, err = readChart(ctx, c, books{name: c.cfg.Company}); err != nil {
		return o, err
	}
	read := oldReading{chart: o.chart, query: q, owner: map[int64][]retail.LocationCode{}}
	domain, err := read.domain()
	if err != nil {
		return o, err
	}
	fields := []string{"move_id", "move_name", "journal_id", "date", "account_id", "name", "balance", "analytic_distribution"}
	var rows []map[string]any
	for after := int64(0); ; after = id(rows[len(rows)-1]["id"]) {
		part, err := c.upTo(ctx, "account.move.line", append([]any{[]any{"id", ">", after}}, domain...), fields, o.chart.in())
		if err != nil {
			return o, err
		}
		if rows = append(rows, part...); len(part) < page {
			break
		}
		if len(rows) > oldMost {
			return o, fault.Msg(fault.Invalid, "read the old way's entries", fmt.Sprintf("there are more than %d items; take a shorter span, or name the journal of the old way", oldMost))
		}
	}
	o.Items, o.Open, err = read.items(rows)
	return o, err
}

// upTo reads one page in the order of ids.
func (c *Client) upTo(ctx context.Context, model string, domain []any, fields []string, in map[string]any) ([]map[string]any, error) {
	got, err := c.Call(ctx, model, "search_read", []any{domain}, map[string]any{"fields": fields, "order": "id", "limit": page, "load": "", "context": in})
	if err != nil {
		return nil, err
	}
	return rows(got)
}

// Account is the code of the account that a line of ours would go to: a tax line's is its tax's own.
func (o Old) Account(l rollup.Line) string {
	if l.Account != "" || l.Tax == "" {
		return l.Account
	}
	r, err := o.chart.taxLine(l)
	if err != nil {
		return l.Tax
	}
	return o.chart.code(r.account)
}

// code is an account's, or its id when the company has no code for it.
func (ch *chart) code(account int64) string {
	for code, a := range ch.accounts {
		if a.id == account {
			return code
		}
	}
	return "id " + strconv.FormatInt(account, 10)
}

// oldReading sorts items by whose they are.
type oldReading struct {
	chart *chart
	query OldQuery
	owner map[int64][]retail.LocationCode // by journal
}

func (r *oldReading) domain() ([]any, error) {
	d := []any{[]any{"company_id", "=", r.chart.company}, []any{"parent_state", "=", "posted"}, []any{"date", ">=", string(r.query.From)}, []any{"date", "<=", string(r.query.To)},
		[]any{"account_id", "!=", false}} // a section or note has none
	var journals []any
	everywhere := false
	for l, code := range r.query.Journals {
		if code == "" {
			everywhere = true
			continue
		}
		j, ok := r.chart.journals[code]
		if !ok {
			return nil, fault.Msg(fault.Invalid, "read the old way's entries", fmt.Sprintf("Odoo has no journal %q, which location %s names as its old way's", code, l))
		}
		if r.owner[j.id] == nil {
			journals = append(journals, j.id)
		}
		r.owner[j.id] = append(r.owner[j.id], l)
	}
	for _, j := range r.chart.journals {
		if named := r.owner[j.id] != nil; everywhere && !named && (j.kind == "general" || j.kind == "sale" || j.kind == "cash") {
			journals = append(journals, j.id)
		}
	}
	return append(d, []any{"journal_id", "in", journals}, []any{"ref", "not like", strings.TrimSpace(refStart(r.query.Hub))}), nil
}

// items says whose each item is: the only location of its journal, else the analytic account that it names, else the one that all other items
// of its entry name.
func (r *oldReading) items(rows []map[string]any) (out []OldItem, open int, err error) {
	codes := map[int64]string{}
	for code, a := range r.chart.accounts {
		codes[a.id] = code
	}
	places := map[string]retail.LocationCode{}
	for l, at := range r.chart.analytic {
		places[strconv.FormatInt(at, 10)] = l
	}
	names := map[int64]map[retail.LocationCode]bool{} // by entry
	for _, m := range rows {
		amount, err := Minor(m["balance"], r.chart.currency)
		if err != nil {
			return nil, 0, err
		}
		it := OldItem{Entry: text(m["move_name"]), Date: retail.BusinessDate(text(m["date"])), Account: codes[id(m["account_id"])], Label: text(m["name"]), Minor: amount.Minor}
		if it.Account == "" {
			it.Account = r.chart.code(id(m["account_id"]))
		}
		if own := r.owner[id(m["journal_id"])]; len(own) == 1 {
			it.Location = own[0]
		} else {
			it.Location = placeOf(m["analytic_distribution"], places)
		}
		if code := r.query.Journals[it.Location]; code != "" && r.chart.journals[code].id != id(m["journal_id"]) {
			it.Location = "" // its old way writes elsewhere: this is another thing
		}
		if it.Location != "" {
			move := id(m["move_id"])
			if names[move] == nil {
				names[move] = map[retail.LocationCode]bool{}
			}
			names[move][it.Location] = true
		}
		out = append(out, it)
	}
	for i, m := range rows {
		if out[i].Location != "" {
			continue
		}
		of := names[id(m["move_id"])]
		for l := range of {
			if len(of) == 1 {
				out[i].Location = l
			}
		}
		if len(of) > 1 {
			open++
		}
	}
	return out, open, nil
}

// placeOf reads the location out of an analytic distribution, whose keys are ids, several joined by commas; one that is shared between
// locations is nobody's.
func placeOf(v any, places map[string]retail.LocationCode) (found retail.LocationCode) {
	shares, _ := v.(map[string]any)
	for key := range shares {
		for part := range strings.SplitSeq(key, ",") {
			if l, ok := places[part]; ok {
				if found != "" && found != l {
					return ""
				}
				found = l
			}
		}
	}
	return found
}
