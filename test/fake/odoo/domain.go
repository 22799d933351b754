package odoo

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// candidates are the records that a domain can mean at all: items are looked up by their entry.
func (s *Server) candidates(model string, domain []any) map[int64]record {
	all := s.b.Models[model]
	if slices.ContainsFunc(domain, func(c any) bool { return c == "|" || c == "!" }) { // not all of it must hold
		return all
	}
	for _, c := range domain {
		cond, ok := c.([]any)
		if !ok || len(cond) != 3 || model != "account.move.line" || cond[0] != "move_id" {
			continue
		}
		out := map[int64]record{}
		for _, move := range idList(cond[2]) {
			for _, id := range s.lines[move] {
				if r := all[id]; r != nil {
					out[id] = r
				}
			}
		}
		return out
	}
	return all
}

// meets evaluates a domain: operators stand before what they join, and what none joins must hold together.
func (s *Server) meets(model string, r record, domain []any) (ok bool, err error) {
	ok = true
	for len(domain) > 0 {
		var one bool
		if one, domain, err = s.term(model, r, domain); err != nil {
			return false, err
		}
		ok = ok && one
	}
	return ok, nil
}

// term takes the first condition of a domain, with all that its operator joins.
func (s *Server) term(model string, r record, domain []any) (ok bool, rest []any, err error) {
	if len(domain) == 0 {
		return false, nil, trace("IndexError: list index out of range")
	}
	head, rest := domain[0], domain[1:]
	switch head {
	case "!":
		ok, rest, err = s.term(model, r, rest)
		return !ok, rest, err
	case "|", "&":
		a, rest, err := s.term(model, r, rest)
		if err != nil {
			return false, nil, err
		}
		b, rest, err := s.term(model, r, rest)
		if head == "|" {
			return a || b, rest, err
		}
		return a && b, rest, err
	}
	cond, isCond := head.([]any)
	if !isCond || len(cond) != 3 {
		return false, nil, trace(fmt.Sprintf("ValueError: Invalid leaf %v", head))
	}
	path, _ := cond[0].(string)
	return match(s.walk(model, r, path), cond[1], cond[2]), rest, nil
}

func (s *Server) walk(model string, r record, path string) any {
	head, rest, more := strings.Cut(path, ".")
	v := s.field(model, r, head)
	if !more {
		return v
	}
	id, _ := v.(int64)
	next := s.b.Models[links[head]][id]
	if next == nil {
		return false
	}
	return s.walk(links[head], next, rest)
}

func match(v, op, want any) bool {
	switch op {
	case "=":
		return equal(v, want)
	case "!=":
		return !equal(v, want)
	case "in":
		list, _ := want.([]any)
		for _, w := range list {
			if equal(v, w) {
				return true
			}
		}
		return false
	case ">", ">=", "<=":
		return ordered(v, fmt.Sprint(op), want)
	case "not like":
		return !strings.Contains(fmt.Sprint(v), fmt.Sprint(want))
	case "=like":
		s, isText := v.(string)
		p, _ := want.(string)
		return isText && like(s, p)
	}
	return false
}

// like is SQL's LIKE: % stands for any text, _ for any character.
func like(s, pattern string) bool {
	var b strings.Builder
	for _, r := range pattern {
		switch r {
		case '%':
			b.WriteString("(?s:.*)")
		case '_':
			b.WriteString("(?s:.)")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return regexp.MustCompile("^" + b.String() + "$").MatchString(s)
}

// ordered compares dates, which sort as text, and numbers.
func ordered(v any, op string, want any) bool {
	a, isText := v.(string)
	b, both := want.(string)
	order := strings.Compare(a, b)
	if x, ok := double(v); ok {
		y, number := double(want)
		order, isText, both = cmp.Compare(x, y), true, number
	}
	return isText && both && (op == ">" && order > 0 || op == ">=" && order >= 0 || op == "<=" && order <= 0)
}

// equal compares a value, or any of a list, as a domain does; an absent value is false.
func equal(v, want any) bool {
	if list, ok := v.([]any); ok {
		if len(list) == 0 {
			return want == false || want == nil
		}
		return slices.ContainsFunc(list, func(e any) bool { return equal(e, want) })
	}
	if v == nil {
		v = false
	}
	if f, ok := v.(float64); ok {
		n, number := double(want)
		return number && n == f
	}
	return v == want
}
