package profile

import (
	"fmt"
	"strings"
)

// part is a piece of a template: a literal text, or a column with the table that translates it.
type part struct {
	literal, column, table string
	slot                   int // of the column, see rules
}

// template is a text with columns in it.
type template []part

// amount is a sum of products.
type amount [][]factor

// factor is a number or a column of numbers; across says that it is the sum of several columns.
type factor struct {
	name   string
	text   template
	across bool
}

// split takes "{Date} {Time|hours}" apart.
func split(t string) (out template) {
	for t != "" {
		open := strings.IndexByte(t, '{')
		end := strings.IndexByte(t, '}')
		if open < 0 || end < open {
			return append(out, part{literal: t})
		}
		if open > 0 {
			out = append(out, part{literal: t[:open]})
		}
		column, table, _ := strings.Cut(t[open+1:end], "|")
		out = append(out, part{column: column, table: table})
		t = t[end+1:]
	}
	return out
}

// asDay is the table that is always there: {Column|@day} is the day that the column's cell names, as 2006-01-02.
const asDay = "@day"

func (p *Profile) wellFormed(t string) error {
	if strings.Count(t, "{") != strings.Count(t, "}") {
		return fmt.Errorf("%q: a brace is not closed", t)
	}
	for _, part := range split(t) {
		if part.table != "" && part.table != asDay && p.Tables[part.table] == nil {
			return fmt.Errorf("%q: there is no table %q", t, part.table)
		}
	}
	return nil
}

// row gives a row's cells by name.
type row struct {
	p     *Profile
	head  *Head
	cells []string
}

// text fills a template in.
func (r row) text(t template) string {
	switch len(t) {
	case 0:
		return ""
	case 1:
		if p := &t[0]; p.column != "" && p.table == "" && r.head.slots[p.slot] >= 0 {
			return r.head.at(p, r.cells) // is trimmed
		}
		return strings.TrimSpace(r.one(&t[0]))
	}
	var b strings.Builder
	for i := range t {
		b.WriteString(r.one(&t[i]))
	}
	return strings.TrimSpace(b.String())
}

// one is a piece filled in.
func (r row) one(p *part) string {
	if p.column == "" {
		return p.literal
	}
	v := r.head.at(p, r.cells)
	if p.table == asDay {
		return day(v)
	}
	if p.table != "" {
		return r.p.translate(p.table, v)
	}
	return v
}

// translate looks a value up: itself, else "*", else it stays; a target of "=" keeps the value.
func (p *Profile) translate(table, v string) string {
	to, ok := p.Tables[table][v]
	if !ok {
		if to, ok = p.Tables[table]["*"]; !ok {
			return v
		}
	}
	if to == "=" {
		return v
	}
	return to
}

// sum works an amount out: terms joined by " + ", each of factors joined by " * ". Empty cells make the whole term nothing.
func (r row) sum(a amount) (total value, given bool, err error) {
	for _, term := range a {
		product, some, err := r.product(term)
		switch {
		case err != nil:
			return total, false, err
		case some && given:
			total = total.plus(product)
		case some:
			total, given = product, true
		}
	}
	return total, given, nil
}

func (r row) product(term []factor) (product value, some bool, err error) {
	some = true
	for i := range term {
		f, v := &term[i], value{}
		if f.across {
			var filled bool
			v, filled, err = r.across(f.text[0].column)
			some = some && filled
		} else if s := r.text(f.text); s == "" {
			return product, false, nil
		} else if v, err = r.p.value(s); err != nil {
			err = fmt.Errorf("%s: %w", f.name, err)
		}
		switch {
		case err != nil:
			return product, false, err
		case i == 0:
			product = v
		default:
			product = product.times(v)
		}
	}
	return product, some, nil
}

// across adds up the cells between two columns.
func (r row) across(span string) (total value, given bool, err error) {
	for _, c := range r.head.between(span, r.cells) {
		if c = strings.TrimSpace(c); c == "" {
			continue
		}
		v, err := r.p.value(c)
		if err != nil {
			return total, false, fmt.Errorf("%s: %w", span, err)
		}
		total, given = total.plus(v), true
	}
	return total, given, nil
}
