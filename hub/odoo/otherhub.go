package odoo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/rollup"
)

// besides takes out what another hub has posted already: before the first entry of a store-day, or of a voucher's kind on it, the books are searched for
// entries of other hubs for that location and day. Those are found although their external ids differ, and although that hub has long stopped.
func (w *Writer) besides(ctx context.Context, ch *chart, jobs []job) (rest []job, out []Outcome, err error) {
	if w.Claims == nil {
		return jobs, nil, nil
	}
	var ask []string
	for _, j := range jobs {
		if p := dayPattern(j.Task); asksBeside(j.Task) && !slices.Contains(ask, p) {
			ask = append(ask, p)
		}
	}
	if len(ask) == 0 {
		return jobs, nil, nil
	}
	domain := []any{[]any{"company_id", "=", ch.company}, []any{"state", "!=", "cancel"}, []any{"ref", "not like", strings.TrimSpace(refStart(w.Hub))}}
	for range ask[1:] {
		domain = append(domain, "|")
	}
	for _, p := range ask {
		domain = append(domain, []any{"ref", "=like", p})
	}
	got, err := w.client.search(ctx, "account.move", domain, []string{"ref", "name", "state"}, ch.in())
	if err != nil {
		return nil, nil, err
	}
	found := map[string]string{} // by what it stands for
	for _, m := range got {
		if key := standsFor(text(m["ref"])); key != "" && found[key] == "" {
			found[key] = fmt.Sprintf("%s (%s, id %d)", entryName(text(m["name"]), text(m["ref"])), text(m["state"]), id(m["id"]))
		}
	}
	for _, j := range jobs {
		e := found[keyOf(j.Task)]
		if e == "" || !asksBeside(j.Task) {
			rest = append(rest, j)
			continue
		}
		if j.Document.Number > 1 && !j.LeftOut { // one question per day
			out = append(out, Outcome{Document: j.Document.ID(), Verdict: Wait, Again: w.Now().Add(lackAgain),
				Why: "It is not in the books: it changes a day that another Tillpost hub has posted, and waits for what a person decides about the day's first document"})
			continue
		}
		out = append(out, w.park(j, cases.OtherHub, fmt.Sprintf("It is not in the books: entry %s of another Tillpost hub stands there for %s on %s already, and both would count the same takings twice. "+
			"Compare the two. If that entry is right, accept: this one is left out. If this one is, cancel that entry in Odoo and retry. If each holds takings of its own, release: this one is posted beside it",
			e, j.Document.Key.Location, j.Document.Key.Day)))
	}
	return rest, out, nil
}

// asksBeside reports whether a document is the first of its day or kind here and nobody has said that it stands beside another's.
func asksBeside(t Task) bool { return t.Move == 0 && !t.Begun && !t.Beside }

// dayPattern finds the references of every hub for a location's day. What LIKE would take for a sign of its own finds a little more than that.
func dayPattern(t Task) string {
	k := t.Document.Key
	return "Tillpost % " + strings.ReplaceAll(string(k.Location), `\`, "_") + "/" + string(k.Day) + "/%"
}

// keyOf is what must not be posted by two hubs: a store-day, or a kind of voucher on it.
func keyOf(t Task) string {
	return string(t.Document.Key.Location) + "/" + string(t.Document.Key.Day) + "/" + kindOf(t.Document.Series)
}

// standsFor is the same of an entry, by its reference; "" = it is none of a hub's first documents.
func standsFor(ref string) string {
	m := refForm.FindStringSubmatch(ref)
	if m == nil || m[4] != "1" {
		return ""
	}
	return m[1] + "/" + m[2] + "/" + kindOf(m[3])
}

// kindOf is the kind of a voucher's series: its own number means nothing to another hub.
func kindOf(series string) string {
	kind, _, _ := strings.Cut(series, "-")
	if kind+"-" == rollup.TicketSeries { // a ticket is a part of its store-day
		return ""
	}
	return kind
}

// entryName is an entry's number, or its reference while it has none.
func entryName(name, ref string) string {
	if name == "" || name == "/" {
		return ref
	}
	return name
}
