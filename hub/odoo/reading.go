package odoo

import (
	"fmt"
	"strings"
)

// reading is what Odoo has of a document, all its records together, nil when one of them is not there: what is owed on one and paid by another
// is none of the document's lines.
func reading(records []job, url string, ch *chart) *Reading {
	one, seen := records[0], found{}
	var parts []int64
	for _, j := range records {
		if j.seen == nil {
			return nil
		}
		if j.entry.first {
			seen.name, seen.date, one.Task = j.seen.name, j.seen.date, j.Task
			one.Move = j.inBooks()
		} else {
			parts = append(parts, j.inBooks())
		}
		for _, i := range j.seen.items {
			if j.entry.receivable == 0 || i.account != j.entry.receivable {
				seen.items = append(seen.items, i)
			}
		}
		if j.entry.first {
			seen.items = append(seen.items, j.owed(ch)...)
		}
	}
	one.entry, one.seen = one.whole, &seen
	r := one.reading(url, ch)
	r.Parts = parts
	return r
}

// owed are the lines that stay on the customer's account: the receipt's own item holds them.
func (j job) owed(ch *chart) (out []item) {
	for i, l := range j.Document.Lines {
		if ch.pays(l) && j.whole.items[i].account == j.entry.receivable {
			out = append(out, j.whole.items[i])
		}
	}
	return out
}

// reading lays Odoo's items beside the document's lines, for the screens: an item that is exactly a line's is that line's amount, what is
// left is matched by account and label, and what matches nothing counts as difference in full.
func (j job) reading(url string, ch *chart) *Reading {
	r := &Reading{Move: j.Move, Name: j.seen.name, Date: j.seen.date, Lines: make([]int64, len(j.entry.items)), URL: recordURL(url, ch.version.Major, Entries, j.Move)}
	free := append([]item(nil), j.seen.items...)
	take := func(match func(item) bool) (int64, bool) {
		for i, it := range free {
			if match(it) {
				free = append(free[:i], free[i+1:]...)
				return it.minor, true
			}
		}
		return 0, false
	}
	open := make([]bool, len(j.entry.items))
	for i, want := range j.entry.items {
		var ok bool
		r.Lines[i], ok = take(func(it item) bool { return it == want })
		open[i] = !ok
	}
	for i, want := range j.entry.items {
		if open[i] {
			r.Lines[i], _ = take(func(it item) bool { return it.account == want.account && it.label == want.label })
			r.Difference += abs(want.minor - r.Lines[i])
		}
	}
	for _, it := range free {
		r.Difference += abs(it.minor)
	}
	return r
}

func abs(n int64) int64 { return max(n, -n) }

// differ words what is not as it was sent, at most a handful.
func (j job) differ() string {
	out := j.entry.differences(j.seen)
	if j.seen.date != j.entry.date {
		out = append([]string{fmt.Sprintf("date %s instead of %s", j.seen.date, j.entry.date)}, out...)
	}
	if len(out) > 6 {
		out = append(out[:6], fmt.Sprintf("and %d more", len(out)-6))
	}
	return strings.Join(out, "; ")
}
