package retail

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// quick reads a ticket as nearly every till writes it: known names once each, texts without escapes, plain numbers. Whatever else it meets
// it leaves to encoding/json, which alone says what is wrong with a ticket: ok = false says nothing against body, and ok = true promises
// what encoding/json would have read (FuzzDecodeTicket compares them). It takes a seventh of the time, and decoding is the largest part of
// what a ticket costs the hub (measured).
func quick(body []byte) (w ticketJSON, ok bool) {
	if !utf8.Valid(body) {
		return w, false
	}
	q := quickly{s: string(body)}
	q.ticket(&w)
	q.space()
	return w, !q.bad && q.i == len(q.s)
}

// quickly walks over JSON; after the first thing it does not know it is bad and gives zero values.
type quickly struct {
	s   string
	i   int
	bad bool
}

func (q *quickly) ticket(w *ticketJSON) {
	var seen uint32
	q.object(func(name string) {
		switch name {
		case "tenant":
			q.text(&w.Tenant, &seen, 0)
		case "system":
			q.text(&w.System, &seen, 1)
		case "scope":
			q.text(&w.Scope, &seen, 2)
		case "id":
			q.text(&w.ID, &seen, 3)
		case "number":
			q.text(&w.Number, &seen, 4)
		case "sequence":
			q.whole(&w.Sequence, &seen, 5)
		case "location":
			q.text(&w.Location, &seen, 6)
		case "till":
			q.text(&w.Till, &seen, 7)
		case "cashier":
			q.text(&w.Cashier, &seen, 8)
		case "business_day":
			q.text(&w.Day, &seen, 9)
		case "at":
			q.text(&w.At, &seen, 10)
		case "kind":
			q.text(&w.Kind, &seen, 11)
		case "currency":
			q.text(&w.Currency, &seen, 12)
		case "parent":
			q.text(&w.Parent, &seen, 13)
		case "customer":
			q.text(&w.Customer, &seen, 14)
		case "revision":
			q.whole(&w.Revision, &seen, 15)
		case "lines":
			q.once(&seen, 16)
			w.Lines = make([]lineJSON, 0, 16)
			q.array(func() { w.Lines = append(w.Lines, q.line()) })
		case "tenders":
			q.once(&seen, 17)
			w.Tenders = make([]tenderJSON, 0, 4)
			q.array(func() { w.Tenders = append(w.Tenders, q.tender()) })
		default: // rank and extra are rare; a name nobody knows may be one of ours in other letters
			q.bad = true
		}
	})
}

func (q *quickly) line() (l lineJSON) {
	var seen uint32
	q.object(func(name string) {
		switch name {
		case "kind":
			q.text(&l.Kind, &seen, 0)
		case "code":
			q.text(&l.Code, &seen, 1)
		case "category":
			q.text(&l.Category, &seen, 2)
		case "description":
			q.text(&l.Description, &seen, 3)
		case "quantity":
			q.number(&l.Quantity, &seen, 4)
		case "amount":
			q.number(&l.Amount, &seen, 5)
		case "currency":
			q.text(&l.Currency, &seen, 6)
		case "reason":
			q.text(&l.Reason, &seen, 7)
		case "cost":
			var n json.Number
			q.number(&n, &seen, 8)
			l.Cost = loose(n)
		case "taxes":
			q.once(&seen, 9)
			l.Taxes = []string{} // as encoding/json reads an empty list
			q.array(func() { l.Taxes = append(l.Taxes, q.quoted()) })
		default:
			q.bad = true
		}
	})
	return l
}

func (q *quickly) tender() (t tenderJSON) {
	var seen uint32
	q.object(func(name string) {
		switch name {
		case "type":
			q.text(&t.Type, &seen, 0)
		case "brand":
			q.text(&t.Brand, &seen, 1)
		case "amount":
			q.number(&t.Amount, &seen, 2)
		case "currency":
			q.text(&t.Currency, &seen, 3)
		case "ref":
			q.text(&t.Ref, &seen, 4)
		case "last4":
			q.text(&t.Last4, &seen, 5)
		case "auth":
			q.text(&t.Auth, &seen, 6)
		default:
			q.bad = true
		}
	})
	return t
}

func (q *quickly) space() {
	for q.i < len(q.s) && (q.s[q.i] == ' ' || q.s[q.i] == '\n' || q.s[q.i] == '\t' || q.s[q.i] == '\r') {
		q.i++
	}
}

// take steps over c, with the space before it.
func (q *quickly) take(c byte) bool {
	q.space()
	if q.bad || q.i == len(q.s) || q.s[q.i] != c {
		return false
	}
	q.i++
	return true
}

func (q *quickly) must(c byte) {
	if !q.take(c) {
		q.bad = true
	}
}

// object calls member for each name; member reads the value.
func (q *quickly) object(member func(name string)) {
	q.must('{')
	if q.take('}') {
		return
	}
	for !q.bad {
		name := q.quoted()
		q.must(':')
		if q.bad {
			return
		}
		member(name)
		if !q.take(',') {
			q.must('}')
			return
		}
	}
}

func (q *quickly) array(element func()) {
	q.must('[')
	if q.take(']') {
		return
	}
	for !q.bad {
		element()
		if !q.take(',') {
			q.must(']')
			return
		}
	}
}

// quoted is a text without escapes.
func (q *quickly) quoted() string {
	q.must('"')
	for begin := q.i; !q.bad && q.i < len(q.s); q.i++ {
		switch c := q.s[q.i]; {
		case c == '"':
			q.i++
			return q.s[begin : q.i-1]
		case c == '\\' || c < ' ':
			q.bad = true
		}
	}
	q.bad = true
	return ""
}

// once marks the n-th name as seen. Of a name that comes twice encoding/json decides.
func (q *quickly) once(seen *uint32, n int) {
	if *seen&(1<<n) != 0 {
		q.bad = true
	}
	*seen |= 1 << n
}

func (q *quickly) text(into *string, seen *uint32, n int) {
	q.once(seen, n)
	*into = q.quoted()
}

// number is a decimal number, in quotes or without.
func (q *quickly) number(into *json.Number, seen *uint32, n int) {
	q.once(seen, n)
	q.space()
	if q.i < len(q.s) && q.s[q.i] == '"' {
		*into = json.Number(q.quoted())
		if end := digitsEnd(string(*into)); end == 0 || end != len(*into) {
			q.bad = true
		}
		return
	}
	*into = json.Number(q.digits())
}

func (q *quickly) whole(into *int64, seen *uint32, n int) {
	q.once(seen, n)
	q.space()
	v, err := strconv.ParseInt(q.digits(), 10, 64)
	if err != nil {
		q.bad = true
	}
	*into = v
}

// digits is a number without exponent.
func (q *quickly) digits() string {
	if q.bad {
		return ""
	}
	end := digitsEnd(q.s[q.i:])
	if end == 0 {
		q.bad = true
	}
	q.i += end
	return q.s[q.i-end : q.i]
}

// digitsEnd is where the number ends that s begins with, by JSON's grammar and without an exponent; 0 = there is none.
func digitsEnd(s string) int {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	first := i
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == first || i > first+1 && s[first] == '0' {
		return 0
	}
	if i < len(s) && s[i] == '.' {
		point := i
		for i++; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		}
		if i == point+1 {
			return 0
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		return 0
	}
	return i
}
