package profile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/retail"
)

// Head is what a file says of its columns and of itself: {Name} is a column by its heading, {#3} the row's third cell and {#-1} its last one,
// {@date} the one day that a report names above its table or in its file's name, {@location} the folder's own location. In an amount,
// {A...B} adds up the cells from column A to the one before column B.
type Head struct {
	names    map[string]int
	slots    []int // where each of the profile's columns stands, −1 = not by its heading
	date     string
	byName   bool // the file's name alone tells it
	location string
	missing  []string
	doubled  []pair // columns that the profile knows by one name
	room     *build // nil = each ticket has its own
}

// Remember makes tickets in the same room. From then on h is for one goroutine, and a ticket made under it holds until the next.
func (h *Head) Remember() { h.room = &build{} }

// pair are two columns under one heading.
type pair struct {
	name         string
	first, again int
}

// Head reads what rows have in common. Of two columns with one name the first counts, and a row in which they differ is not read.
func (p *Profile) Head(r Rows) *Head {
	h := &Head{names: make(map[string]int, len(r.Header)), location: string(r.Location), missing: p.Missing(r.Header), slots: make([]int, len(p.rules.columns))}
	for i, n := range r.Header {
		n = strings.TrimSpace(strings.TrimPrefix(n, "\ufeff"))
		if first, twice := h.names[n]; !twice {
			h.names[n] = i
		} else if slices.Contains(p.rules.columns, n) || slices.Contains(p.rules.columns, n+"?") {
			h.doubled = append(h.doubled, pair{n, first, i})
		}
	}
	for i, c := range p.rules.columns {
		at, ok := h.names[c]
		if h.slots[i] = at; !ok {
			h.slots[i] = -1
		}
	}
	if !p.dated {
		return h
	}
	if h.date = oneDay(strings.Join(append(slices.Clone(r.Top), r.Header...), "\n")); h.date == "" {
		h.date, h.byName = oneDay(r.File), true
	}
	return h
}

// ByName reports whether the day of the rows is told by nothing but the file's name: another name makes other rows of them.
func (h *Head) ByName() bool { return h.byName }

// at is the value of a template's column.
func (h *Head) at(p *part, cells []string) string {
	i := h.slots[p.slot]
	switch {
	case i < 0:
		return h.cell(p.column, cells)
	case i < len(cells):
		return strings.TrimSpace(cells[i])
	}
	return ""
}

// cell is a column's value, or what the file says of itself.
func (h *Head) cell(name string, cells []string) string {
	i, ok := h.names[name]
	if !ok && name != "" {
		switch {
		case name == "@date":
			return h.date
		case name == "@location":
			return h.location
		case name[0] == '#':
			if n, err := strconv.Atoi(name[1:]); err == nil {
				i, ok = n-1, n > 0
				if n < 0 {
					i, ok = filled(cells)+n, true
				}
			}
		default:
			i, ok = h.names[strings.TrimSuffix(name, "?")]
		}
	}
	if ok && i >= 0 && i < len(cells) {
		return strings.TrimSpace(cells[i])
	}
	return ""
}

// unclear says why a row's cells cannot be read: two columns that the profile knows by one name disagree, as where a report was put beside another
// one, and which of two prices counts nobody can say.
func (h *Head) unclear(cells []string) error {
	for _, d := range h.doubled {
		a, b := cellAt(cells, d.first), cellAt(cells, d.again)
		if a != b {
			return fmt.Errorf("the heading %q stands over columns %d and %d, and the row has %.40q in one and %.40q in the other: which of the two counts nobody can say. Take one of the columns out of the export, or name its place in a profile of your own ({#%d})",
				d.name, d.first+1, d.again+1, a, b, d.first+1)
		}
	}
	return nil
}

// cellAt is the i-th cell without the blanks around it, "" where the row is shorter.
func cellAt(cells []string, i int) string {
	if i >= len(cells) {
		return ""
	}
	return strings.TrimSpace(cells[i])
}

// filled is how many cells a row has up to its last one that is not empty.
func filled(cells []string) int {
	n := len(cells)
	for n > 0 && strings.TrimSpace(cells[n-1]) == "" {
		n--
	}
	return n
}

// between are the cells from one column to the one before another.
func (h *Head) between(span string, cells []string) []string {
	from, to, is := strings.Cut(span, "...")
	a, ok1 := h.names[from]
	b, ok2 := h.names[to]
	if !is || !ok1 || !ok2 || a >= len(cells) {
		return nil
	}
	return cells[a:max(a, min(b, len(cells)))]
}

// heading reports whether a template's column must be among a file's headings: not one by its place, nor one that may be absent ({Name?}).
func heading(column string) bool {
	return column != "" && column[0] != '#' && column[0] != '@' && !strings.HasSuffix(column, "?")
}

// IsHeader reports whether a row is the file's heading: the first behind the lines that are skipped, or the first that holds the cell by
// which the profile knows it.
func (p *Profile) IsHeader(row int, cells []string) bool {
	if row <= p.Skip {
		return false
	}
	return p.Header == "" || slices.ContainsFunc(cells, func(c string) bool { return strings.EqualFold(strings.TrimSpace(c), p.Header) })
}

// HasTitle reports whether one of the lines carries the title by which the profile knows its report.
func (p *Profile) HasTitle(lines []string) bool {
	return p.Title == "" || slices.ContainsFunc(lines, func(t string) bool { return strings.Contains(strings.ToUpper(t), strings.ToUpper(p.Title)) })
}

// Skips reports whether a row is a report's own total or decoration and no row of its table.
func (p *Profile) Skips(h *Head, cells []string) bool {
	r := row{p, h, cells}
	for _, t := range p.rules.only {
		if r.text(t) == "" {
			return true
		}
	}
	return len(p.Totals) > 0 && (p.Total(cells) || first(cells) == "")
}

// Total reports whether a row names itself as one of a report's own totals, which no row of its table does.
func (p *Profile) Total(cells []string) bool {
	name := first(cells)
	return name != "" && slices.ContainsFunc(p.Totals, func(t string) bool { return strings.EqualFold(name, t) })
}

// first is the first cell that holds something.
func first(cells []string) string {
	for _, c := range cells {
		if c = strings.TrimSpace(c); c != "" {
			return c
		}
	}
	return ""
}

// IsKey reports whether a column is part of a ticket's identity: masked, two tickets could become one.
func (p *Profile) IsKey(column string) bool { return p.keys[strings.TrimSpace(column)] }

// TicketID is the identity of the ticket that a row belongs to, "" when the row has none.
func (p *Profile) TicketID(h *Head, cells []string) string {
	r := row{p, h, cells}
	id := r.text(p.rules.ticket.id)
	if id == "" {
		return ""
	}
	if p.Ticket.Location != "" {
		return r.text(p.rules.ticket.location) + "\x00" + r.text(p.rules.scope) + "\x00" + id
	}
	return r.text(p.rules.scope) + "\x00" + id
}

// SameTicket reports whether two rows surely have the same TicketID: what it is made of is the same in both. False says nothing.
func (p *Profile) SameTicket(h *Head, a, b []string) bool {
	if !p.rules.plain {
		return false
	}
	for _, slot := range p.rules.ids {
		i := h.slots[slot]
		if i < 0 || i >= len(a) || i >= len(b) || a[i] != b[i] {
			return false
		}
	}
	return true
}

// Alone returns the columns, in their order, of which TicketID is made, when nothing else of a row need be known to place it: no row is left
// out for what stands in it, and none proves a day. ok is false when a row must be read whole.
func (p *Profile) Alone(h *Head) (columns []int, ok bool) {
	if !p.rules.plain || len(p.rules.only)+len(p.Totals) > 0 || p.Proof.WholeDays {
		return nil, false
	}
	for _, slot := range p.rules.ids {
		if h.slots[slot] < 0 {
			return nil, false
		}
		columns = append(columns, h.slots[slot])
	}
	slices.Sort(columns)
	return slices.Compact(columns), len(columns) > 0
}

// Whose says which ticket of which location rows are of that cannot be decoded, as far as they tell; the key is zero when they do not.
func (p *Profile) Whose(r Rows) (k retail.Key, l retail.LocationCode) {
	l = r.Location
	if r.Note != "" || len(r.Rows) == 0 {
		return k, l
	}
	first, rule := row{p, p.Head(r), r.Rows[0].Cells}, &p.rules.ticket
	if named := first.text(rule.location); named != "" {
		l = retail.LocationCode(named)
	}
	if id := first.text(rule.id); id != "" {
		k = retail.Key{System: p.System, Record: "ticket", Scope: first.text(p.rules.scope), ID: id}
	}
	return k, l
}

// When is the location and the moment that a row names; ok is false when it names no moment.
func (p *Profile) When(h *Head, cells []string) (l retail.LocationCode, at time.Time, ok bool) {
	r := row{p, h, cells}
	at, err := p.time(r.text(p.rules.ticket.at), p.zone)
	return retail.LocationCode(r.text(p.rules.ticket.location)), at, err == nil
}

// dates are how a day is written in a report's title, a cell or a file's name. A day written with strokes is an American one.
var dates = []struct {
	form   *regexp.Regexp
	layout []string
}{
	{regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}`), []string{"2006-01-02"}},
	{regexp.MustCompile(`\b\d{1,2}/\d{1,2}/\d{4}\b`), []string{"1/2/2006"}},
	{regexp.MustCompile(`\b\d{1,2}/\d{1,2}/\d{2}\b`), []string{"1/2/06"}},
	{regexp.MustCompile(`\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{1,2},? \d{4}\b`), []string{"Jan 2, 2006", "January 2, 2006", "Jan 2 2006", "January 2 2006"}},
	{regexp.MustCompile(`(?:^|[^0-9])20\d{6}(?:[^0-9]|$)`), []string{"20060102"}},
	{regexp.MustCompile(`(?:^|[^0-9])\d{2}[-_]\d{2}[-_]20\d{2}(?:[^0-9]|$)`), []string{"01-02-2006", "01_02_2006"}},
}

// oneDay finds the day that a text names, "" when it names none or several.
func oneDay(s string) string {
	found := ""
	for _, d := range dates {
		for _, m := range d.form.FindAllString(s, 20) {
			m = strings.TrimFunc(m, func(r rune) bool { return !unicode.IsDigit(r) && !unicode.IsLetter(r) })
			if i := strings.IndexFunc(m, unicode.IsDigit); len(d.layout) == 1 && i > 0 { // a letter stood before a number
				m = m[i:]
			}
			m = strings.TrimRightFunc(m, unicode.IsLetter)
			for _, l := range d.layout {
				t, err := time.Parse(l, m)
				if err != nil {
					continue
				}
				day := string(retail.DateOf(t))
				if found != "" && found != day {
					return ""
				}
				found = day
			}
		}
	}
	return found
}

// day is the day that a cell names, "" when it names none: a date however it is written, or a spreadsheet's count of days.
func day(s string) string {
	if d := oneDay(s); d != "" {
		return d
	}
	if t, ok := serial(s, time.UTC); ok {
		return string(retail.DateOf(t))
	}
	return ""
}

// spreadsheet is day 0 of a workbook's dates: they count days, with their first leap year wrong.
var spreadsheet = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// serial reads a workbook's date: days since its day 0, with the time as their fraction, or a date and a time in two cells.
func serial(s string, zone *time.Location) (time.Time, bool) {
	days := decimal.Decimal{}
	for part := range strings.FieldsSeq(s) {
		d, err := decimal.NewFromString(part)
		if err != nil || len(part) > 24 {
			return time.Time{}, false
		}
		days = days.Add(d)
	}
	if days.LessThan(decimal.NewFromInt(20_000)) || days.GreaterThan(decimal.NewFromInt(80_000)) { // 1954 to 2119
		return time.Time{}, false
	}
	seconds := days.Mod(decimal.NewFromInt(1)).Mul(decimal.NewFromInt(86_400)).Round(0).IntPart()
	t := spreadsheet.AddDate(0, 0, int(days.IntPart()))
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, int(seconds), 0, zone), true
}
