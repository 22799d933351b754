package profile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
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
	if i := h.slots[p.slot]; i >= 0 {
		return cellAt(cells, i)
	}
	return h.cell(p.column, cells)
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
	if !ok {
		return ""
	}
	return cellAt(cells, i)
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

// cellAt is the i-th cell without the blanks around it, "" where there is none.
func cellAt(cells []string, i int) string {
	if i < 0 || i >= len(cells) {
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

// Skips reports whether a row is a report's own total or decoration and no row of its table. One whose cells are unclear is a row: its case says so.
func (p *Profile) Skips(h *Head, cells []string) bool {
	if h.unclear(cells) != nil {
		return false
	}
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
