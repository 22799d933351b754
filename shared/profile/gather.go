package profile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// Part is what one file has of a ticket, and the version of the profile that its rows were made with.
type Part struct {
	By *Profile
	Rows
}

// found is a row of one of the files that have rows of a ticket.
type found struct {
	row
	from *Part
	n    int
	at   time.Time
	mark string // what tells it apart among its ticket's rows
}

// Gather makes the ticket of the rows that several files have of it, in the order in which the files came: one that is told again under its
// mark takes the place of what it was before, so that a file that grew, was corrected or came twice counts once. In which order the files came
// says nothing else: the ticket's first row is its earliest. parts are of one ticket (see TicketID), each is read by its own version of the profile,
// and one of these says spread. Code invalid.
func Gather(parts []Part) (retail.Record, error) {
	rows, err := find(parts)
	if err != nil {
		return nil, err
	}
	t, err := rows[0].p.head(rows[0].row, rows[0].source())
	if err != nil {
		return nil, err
	}
	b := (*build)(nil).start(len(rows))
	b.told = map[once]bool{}
	var files []string
	for i, r := range rows {
		if r.p.Currency != t.Currency {
			return nil, invalid("file %s, row %d: it is in %s and other rows of its ticket in %s, as their versions of the profile say", r.from.File, r.n, r.p.Currency, t.Currency)
		}
		if i > 0 {
			complete(&t, r.row)
		}
		if err := b.row(r.row, i == 0); err != nil {
			return nil, invalid("file %s, row %d: %v", r.from.File, r.n, err)
		}
		b.rows = append(b.rows, r.n)
		if !slices.Contains(files, r.from.File) {
			files = append(files, r.from.File)
		}
	}
	t.Origin.Rows, t.Origin.File = b.rows, strings.Join(files, ", ")
	return b.finish(t)
}

// find lists the rows that count, the earliest first. A version that does not say spread yet is asked for its amounts alone.
func find(parts []Part) (rows []found, err error) {
	place := map[string]int{}
	var spreads *Profile
	for _, one := range parts {
		if one.By.Spread != "" {
			spreads = one.By
		}
	}
	for i := range parts {
		from := &parts[i]
		p, marks := from.By, from.By
		if p.Spread == "" {
			marks = spreads
		}
		head, marked := p.Head(from.Rows), marks.Head(from.Rows)
		if err := p.readable(head, from.Rows); err != nil {
			return nil, err
		}
		own := map[string]int{}
		for _, one := range from.Rows.Rows {
			f := found{row: row{p, head, one.Cells}, from: from, n: one.N, mark: row{marks, marked, one.Cells}.text(marks.rules.spread)}
			if f.mark == "" {
				return nil, invalid("file %s, row %d: nothing tells it apart from the other rows of its ticket: %s is empty", from.File, one.N, marks.Spread)
			}
			t, err := p.head(f.row, f.source())
			if err != nil {
				return nil, err
			}
			f.at = t.At
			if n, twice := own[f.mark]; twice {
				return nil, invalid("file %s, rows %d and %d: both are %q of their ticket, and one of them could only be the other told again: have the till number them, or name more columns in the profile's spread", from.File, n, one.N, f.mark)
			}
			own[f.mark] = one.N
			if at, known := place[f.mark]; known {
				rows[at] = f
				continue
			}
			place[f.mark] = len(rows)
			rows = append(rows, f)
		}
	}
	slices.SortStableFunc(rows, func(a, b found) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(len(a.mark), len(b.mark)), cmp.Compare(a.mark, b.mark)) // 9 stands before 10
	})
	return rows, nil
}

// source is the row's file with this row alone.
func (f *found) source() Rows {
	r := f.from.Rows
	r.Rows = []Row{{N: f.n, Cells: f.cells}}
	return r
}

// complete takes what the rows so far do not say of their ticket from one that does.
func complete(t *retail.Ticket, r row) {
	rule := &r.p.rules.ticket
	fill(&t.Till, r, rule.till)
	fill(&t.Cashier, r, rule.cashier)
	fill(&t.Day, r, rule.day)
	fill(&t.Parent, r, rule.parent)
	fill(&t.Customer, r, rule.customer)
}

func fill[T ~string](into *T, r row, from template) {
	if *into == "" {
		*into = T(r.text(from))
	}
}

// checkSpread looks at what tells the rows of a ticket apart.
func (p *Profile) checkSpread() (faults []string) {
	if p.Spread == "" {
		return nil
	}
	if !slices.ContainsFunc(split(p.Spread), func(part part) bool { return part.column != "" && part.column[0] != '@' }) {
		faults = append(faults, "it must name the columns that tell the rows of a ticket apart, such as {Line}")
	}
	if p.Record == "control" || p.Format == "sql" || strings.Contains(strings.Join(p.templates(), ""), "{@date") {
		faults = append(faults, "a report of a day, a control total and a till's database are whole as they are read")
	}
	return faults
}
