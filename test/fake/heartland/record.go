package heartland

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/tillpost/tillpost/test/fake/till"
)

// record is a ticket, order or invoice.
type record struct {
	book                string // "tickets", "orders", "invoices"
	typ                 string
	id                  int64
	status              string // "complete", "incomplete", "voided", "open"
	at                  *place
	station             int64
	customer, parent    int64
	order               int64
	rep                 string
	created, updated    time.Time
	completed           time.Time
	local, day          string // of completion, by the store's wall clock
	lines               []line
	payments            []payment
	readable            time.Time
	body                []byte // what does not change while it stands: rendered once
	linesBody, paysBody []byte
}

// line keeps what the till called it for the truth.
type line struct {
	id          int64
	kind        string // item, tax, shipping, gift_card
	item        *item
	description string
	qty         int64
	list        int64 // cents per piece before discounts
	cents       int64 // what it comes to
	off         int64 // discount in it, negative
	why         string
}

type payment struct {
	id        int64
	kind      string // "cash", "visa", …: the till's word
	change    bool
	cents     int64
	deposit   bool
	voided    bool
	last4     string
	auth      string
	completed time.Time
	local     string
}

// told is a till's ticket as it tells it; spelled here anew.
type told struct {
	ID, Location, Till, Kind, At, Parent, Customer string
	Lines                                          []struct {
		Kind, Code, Category, Description string
		Quantity, Amount                  json.Number
		Reason                            string
	}
	Tenders []struct {
		Type, Last4, Auth string
		Amount            json.Number
	}
}

// Tell takes what a till of fake/till tells of a ticket: a new one, the same again, or that it is void. What is no ticket is nothing here:
// drawers have no place in Retail's API. It returns Retail's id, 0 for nothing.
func (h *Retail) Tell(e till.Event) int64 {
	if e.Path != "/v1/tickets" {
		return 0
	}
	var t told
	if err := json.Unmarshal(e.Body, &t); err != nil {
		panic("BUG: heartland: " + err.Error())
	}
	h.mu.Lock()
	id, known := h.known[t.ID]
	h.mu.Unlock()
	switch {
	case known && t.Kind == "void":
		h.Void(id)
	case !known && t.Kind != "void":
		id = h.Sell(h.translate(t))
		h.mu.Lock()
		h.known[t.ID] = id
		h.mu.Unlock()
	}
	return id
}

// translate makes a Retail ticket of a till's.
func (h *Retail) translate(t told) Sale {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, err := time.Parse(time.RFC3339, t.At)
	if err != nil {
		panic("BUG: heartland: " + err.Error())
	}
	s := Sale{Location: t.Location, At: at}
	s.Station, _ = strconv.Atoi(strings.TrimPrefix(t.Till, "T"))
	s.Station--
	if t.Parent != "" {
		s.Parent = h.known[t.Parent]
	}
	var goods []int // rows that a discount is spread over
	var off int64
	var why string
	for _, l := range t.Lines {
		cents := minor(l.Amount)
		switch l.Kind {
		case "item", "fee": // a fee is an article here
			qty, _ := strconv.ParseInt(string(l.Quantity), 10, 64)
			if qty == 0 {
				qty = sign(cents)
			}
			if l.Category == "" {
				l.Category = "Fees"
			}
			s.lines = append(s.lines, line{kind: "item", item: h.article(l.Code, l.Category), description: l.Description, qty: qty, list: cents / qty, cents: cents})
			if l.Kind == "item" {
				goods = append(goods, len(s.lines)-1)
			}
		case "discount":
			off, why = off+cents, l.Code
		case "tax":
			s.lines = append(s.lines, line{kind: "tax", description: l.Code, cents: cents})
		case "shipping", "gift_card":
			s.lines = append(s.lines, line{kind: l.Kind, description: l.Description, cents: cents, qty: 1})
		default:
			panic("BUG: heartland knows no line " + l.Kind)
		}
	}
	spread(s.lines, goods, off, why)
	for i, p := range t.Tenders {
		s.payments = append(s.payments, payment{kind: p.Type, cents: minor(p.Amount), change: i > 0 && p.Type == "cash" && minor(p.Amount) < 0, last4: p.Last4, auth: p.Auth})
	}
	return s
}

// spread takes a discount over goods, the last of them takes what is left.
func spread(lines []line, goods []int, off int64, why string) {
	var sum, given int64
	for _, g := range goods {
		sum += lines[g].cents
	}
	for n, g := range goods {
		part := off - given
		if n < len(goods)-1 && sum != 0 {
			part = off * lines[g].cents / sum
		}
		if part != 0 {
			lines[g].off, lines[g].why, lines[g].cents = part, why, lines[g].cents+part
		}
		given += part
	}
}

// article finds an item, or makes it.
func (h *Retail) article(code, category string) *item {
	key := code + "|" + category
	if h.items[key] == nil {
		it := &item{id: h.o.First + int64(len(h.itemList)), code: code, category: category, updated: h.now()}
		h.items[key] = it
		h.itemList = append(h.itemList, it)
	}
	return h.items[key]
}

// text writes a time as the API does.
func text(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999") + "+00:00" }

// number writes cents as a JSON number, without trailing zeros, as a writer of floats does; now and then with a float's noise.
func number(cents int64, noise bool) string {
	s := new(big.Rat).SetFrac64(cents, 100).FloatString(2)
	if noise && cents%100 != 0 {
		return s + "00000000001"
	}
	s = strings.TrimRight(s, "0")
	if strings.HasSuffix(s, ".") {
		s += "0"
	}
	return s
}

var classes = map[string]string{"cash": "Payments::CashPayment", "gift_card": "Payments::GiftCardPayment", "ewallet": "Payments::CustomPayment"}

// paymentTypes are the tenant's; the first is number 1.
var paymentTypes = []string{"Cash", "Credit Card", "Gift Card", "Ewallet"}

func paymentType(kind string) (id int, class string, card bool) {
	switch kind {
	case "cash":
		return 1, classes[kind], false
	case "gift_card":
		return 3, classes[kind], false
	case "ewallet":
		return 4, classes[kind], false
	}
	return 2, "Payments::CreditCardPayment", true
}

// render writes the parts of a record as they stand.
func (r *record) render() {
	var total, tax, paid, off int64
	var b bytes.Buffer
	b.WriteByte('[')
	for i, l := range r.lines {
		if i > 0 {
			b.WriteByte(',')
		}
		total += l.cents
		off -= l.off
		noise := (r.id+int64(i))%37 == 0
		switch l.kind {
		case "item":
			fmt.Fprintf(&b, `{"id":%d,"type":"ItemLine","item_id":%d,"item_public_id":%q,"description":%q,"qty":%d,"original_unit_price":%s,"unit_price":null,`, l.id, l.item.id, l.item.code, l.description, l.qty, number(l.list, false))
			if l.off != 0 {
				fmt.Fprintf(&b, `"adjusted_unit_price":%s,"price_adjustments":[{"delta_price":%s,"reason":%q}],`, number(l.cents/l.qty, false), number(l.off, false), l.why)
			} else {
				b.WriteString(`"adjusted_unit_price":null,"price_adjustments":[],`)
			}
			fmt.Fprintf(&b, `"unit_cost":1.0,"value":%s}`, number(l.cents, noise))
		case "tax":
			tax += l.cents
			fmt.Fprintf(&b, `{"id":%d,"type":"TaxLine","description":%q,"value":%s}`, l.id, l.description, number(l.cents, false))
		case "shipping":
			fmt.Fprintf(&b, `{"id":%d,"type":"ShippingLine","description":%q,"value":%s}`, l.id, l.description, number(l.cents, noise))
		case "gift_card":
			fmt.Fprintf(&b, `{"id":%d,"type":"GiftCardLine","description":%q,"qty":1,"value":%s}`, l.id, l.description, number(l.cents, false))
		}
	}
	b.WriteByte(']')
	r.linesBody = b.Bytes()
	var p bytes.Buffer
	p.WriteByte('[')
	for i, x := range r.payments {
		if i > 0 {
			p.WriteByte(',')
		}
		id, class, card := paymentType(x.kind)
		status, description := "complete", paymentTypes[id-1]
		if x.voided {
			status = "voided"
		} else {
			paid += x.cents
		}
		if x.change {
			description = "Change"
		}
		fmt.Fprintf(&p, `{"id":%d,"type":%q,"payment_type_id":%d,"description":%q,"amount":%s,"deposit":%t,"status":%q,"completed_at":%q,"local_completed_at":%q,"updated_at":%q`,
			x.id, class, id, description, number(x.cents, false), x.deposit, status, text(x.completed), x.local, text(x.completed))
		if card {
			fmt.Fprintf(&p, `,"credit_card_payment":{"type":%q,"last4":%q,"auth_code":%q}`, x.kind, x.last4, x.auth)
		}
		p.WriteByte('}')
	}
	p.WriteByte(']')
	r.paysBody = p.Bytes()
	var h bytes.Buffer
	fmt.Fprintf(&h, `"id":%d,"public_id":"%d","type":%q,"status":%q,"completed?":%t,"voided?":%t,"source_location_id":%d,"location_name":%q,"station_id":%d,"customer_id":%s,"sales_rep":%q,`,
		r.id, r.id, r.typ, r.status, !r.completed.IsZero(), r.status == "voided", r.at.id, r.at.Name, r.station, orNull(r.customer), r.rep)
	fmt.Fprintf(&h, `"parent_transaction_id":%s,"order_id":%s,"total":%s,"total_tax":%s,"total_discounts":%s,"total_paid":%s,"balance":%s,"created_at":%q,"updated_at":%q,`,
		orNull(r.parent), orNull(r.order), number(total, false), number(tax, false), number(off, false), number(paid, false), number(total-paid, false), text(r.created), text(r.updated))
	if r.completed.IsZero() {
		h.WriteString(`"completed_at":null,"local_completed_at":null,"custom":{}`)
	} else {
		fmt.Fprintf(&h, `"completed_at":%q,"local_completed_at":%q,"custom":{}`, text(r.completed), r.local)
	}
	r.body = h.Bytes()
}

func orNull(n int64) string {
	if n == 0 {
		return "null"
	}
	return fmt.Sprint(n)
}

// minor reads decimal text as cents.
func minor(n json.Number) int64 {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic("BUG: heartland: amount " + string(n))
	}
	r.Mul(r, big.NewRat(100, 1))
	return r.Num().Int64()
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}
