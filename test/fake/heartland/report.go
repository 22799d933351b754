package heartland

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// analyzer answers sums per location and day of whatever metrics are known.
func (h *Retail) analyzer(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flush()
	q := r.URL.Query()
	if h.t.NoReports {
		h.fail(w, http.StatusForbidden, "forbidden", "You do not have permission.")
		return
	}
	from, err1 := time.Parse(time.DateOnly, q.Get("start_date"))
	to, err2 := time.Parse(time.DateOnly, q.Get("end_date"))
	if err1 != nil || err2 != nil || to.Sub(from) > 92*24*time.Hour {
		h.fail(w, http.StatusInternalServerError, "internal_error", "Something went wrong.")
		return
	}
	groups := q["group[]"]
	if h.t.Groups {
		groups = q["groups[]"]
	}
	for _, m := range q["metrics[]"] {
		if m == "source_sales.net_margin" {
			h.fail(w, http.StatusInternalServerError, "internal_error", "Something went wrong.")
			return
		}
	}
	page, per := h.paging(q)
	var rows []string
	for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
		rows = append(rows, h.dayRows(day.Format(time.DateOnly), groups)...)
	}
	total := len(rows)
	rows = rows[min(len(rows), (page-1)*per):]
	rows = rows[:min(len(rows), per)]
	h.answer(w, total, per, bytes.NewBufferString(strings.Join(rows, ",")), false)
}

// dayRows makes the rows of one date.
func (h *Retail) dayRows(day string, groups []string) (out []string) {
	type sums struct{ net, tax, paid, count int64 }
	by := map[*place]*sums{}
	of := func(p *place) *sums {
		if by[p] == nil {
			by[p] = &sums{}
		}
		return by[p]
	}
	for _, book := range []string{"tickets", "invoices"} {
		for _, r := range h.books[book].byDay[day] {
			if r.status != "complete" {
				continue
			}
			s := of(r.at)
			s.count++
			for _, l := range r.lines {
				switch l.kind {
				case "item":
					s.net += l.cents
				case "tax":
					s.tax += l.cents
				}
			}
			for _, p := range r.payments {
				if !p.voided && !p.deposit {
					s.paid += p.cents
				}
			}
		}
	}
	for _, r := range h.books["orders"].byID {
		for _, p := range r.payments {
			if p.local[:10] == day && !p.voided {
				of(r.at).paid += p.cents
			}
		}
	}
	for _, p := range h.visible() {
		s := by[p]
		if s == nil {
			continue
		}
		row := fmt.Sprintf(`"source_sales.net_sales":%s,"source_sales.transaction_count":%d,"location_sales_tax.net_amount_collected":%s,"payment.net_payments":%s`, number(s.net, false), s.count, number(s.tax, false), number(s.paid, false))
		if slices.Contains(groups, "location.public_id") {
			row += fmt.Sprintf(`,"location.public_id":%q`, p.Code)
		}
		if slices.Contains(groups, "date.date") {
			row += fmt.Sprintf(`,"date.date":%q`, day)
		}
		out = append(out, "{"+row+"}")
	}
	return out
}
