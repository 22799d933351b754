package upa

import (
	"slices"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Offline is what a terminal says of payments that it took without asking the bank (store and forward).
type Offline struct {
	Held   []retail.Payment // not sent yet: nobody has promised this money
	Failed []retail.Payment // sent, and the bank said no: the goods are gone
	Sent   []retail.Payment // sent and approved
	// What is at stake: Held and Failed. A group that tells a sum and no payments counts with its sum.
	Count  int
	AtRisk money.Amount
	More   bool // the report goes on in a further message: Join it
}

// group tells from SafType what became of its payments: terminals write "PENDING TRANSACTIONS", older ones "PENDING SAF SUMMARY". What we do
// not know counts as held: nobody has promised it.
func group(kind string) string {
	k := strings.ToUpper(kind)
	switch {
	case strings.Contains(k, "PARTIAL"): // part of it was not approved: a person looks
		return "failed"
	case strings.Contains(k, "AUTHORIZED"), strings.Contains(k, "APPROVED"):
		return "sent"
	case strings.Contains(k, "FAIL"), strings.Contains(k, "DECLINE"):
		return "failed"
	}
	return "held"
}

type safRecord struct {
	Reference  text `json:"safReferenceNumber"`
	Number     text `json:"tranNo"`
	Host       text `json:"referenceNumber"`
	Gateway    text `json:"transId"`
	Total      text `json:"totalAmount"`
	Authorized text `json:"authorizedAmount"`
	Requested  text `json:"requestAmount"`
	Tip        text `json:"tipAmount"`
	Pan        text `json:"maskedPan"`
	Brand      text `json:"cardType"`
	At         text `json:"transactionTime"`
	Kind       text `json:"transactionType"`
	Auth       text `json:"approvalCode"`
	Invoice    text `json:"invoiceNbr"`
}

// OfflinePayments reads the answer to SAFReport. Code invalid.
func OfflinePayments(a Answer, p Place) (o Offline, err error) {
	o.AtRisk = money.Of(0, p.Currency)
	if err := a.Refused(); err != nil {
		return o, err
	}
	var d struct {
		Multiple text `json:"multipleMessage"`
		Groups   []struct {
			Kind    text        `json:"SafType"`
			Count   text        `json:"SafCount"`
			Total   text        `json:"SafTotal"`
			Records []safRecord `json:"SafRecords"`
		} `json:"SafDetails"`
	}
	if len(a.Data) == 0 { // a terminal without any answers with success alone
		return o, nil
	}
	if err := one(a.Data, &d); err != nil {
		return o, fault.New(fault.Invalid, "read offline payments", err)
	}
	o.More = d.Multiple == "1"
	for _, g := range d.Groups {
		became := group(string(g.Kind))
		if len(g.Records) == 0 {
			if became == "sent" {
				continue
			}
			n, err := g.Count.count()
			if err != nil {
				return o, err
			}
			total, err := g.Total.amount(p.Currency)
			if err == nil {
				o.Count += n
				o.AtRisk, err = o.AtRisk.Add(size(total))
			}
			if err != nil {
				return o, fault.New(fault.Invalid, "read offline payments", err)
			}
			continue
		}
		// The records count, not the sum beside them: terminals were seen to say 0 over a payment of 10.00.
		for _, r := range g.Records {
			if err := o.add(became, r, p); err != nil {
				return o, err
			}
		}
	}
	return o, nil
}

func (o *Offline) add(became string, r safRecord, p Place) (err error) {
	t := retail.Payment{Key: retail.Key{System: System, Record: "offline", Scope: string(p.Location) + "/" + string(p.Till), ID: string(or(r.Reference, r.Number, r.Host))},
		Location: p.Location, Till: p.Till, At: r.At.moment(p.Zone), State: retail.PaymentOpen, Brand: brand(string(r.Brand)), Last4: last4(string(r.Pan)),
		Auth: short(string(r.Auth)), Ticket: short(string(r.Invoice))}
	if t.Amount, err = or(r.Total, r.Authorized, r.Requested).amount(p.Currency); err == nil {
		t.Tip, err = r.Tip.amount(p.Currency)
	}
	if err == nil && refund(string(r.Kind)) {
		t.Amount = t.Amount.Neg()
	}
	if err == nil && became != "sent" {
		o.Count++
		o.AtRisk, err = o.AtRisk.Add(size(t.Amount)) // a held return is owed to a customer: it makes the risk no smaller
	}
	if err != nil {
		return fault.New(fault.Invalid, "read offline payment "+t.Key.ID, err)
	}
	switch became {
	case "sent":
		o.Sent = append(o.Sent, t)
	case "failed":
		t.State = retail.PaymentDeclined
		o.Failed = append(o.Failed, t)
	default:
		o.Held = append(o.Held, t)
	}
	return nil
}

// Join adds what a further message of the same report says. Code invalid when the sum does not fit.
func (o *Offline) Join(next Offline) (err error) {
	o.Held, o.Failed, o.Sent = slices.Concat(o.Held, next.Held), slices.Concat(o.Failed, next.Failed), slices.Concat(o.Sent, next.Sent)
	o.Count, o.More = o.Count+next.Count, next.More
	o.AtRisk, err = o.AtRisk.Add(next.AtRisk)
	return err
}

func size(a money.Amount) money.Amount {
	if a.Minor < 0 {
		return a.Neg()
	}
	return a
}

// most is how many payments travel with a terminal's state: enough to see what it is about.
const most = 20

// State is what the hub is told: how many, how much, since when, and the first of them.
func (o Offline) State() *retail.Held {
	h := &retail.Held{Count: o.Count, AtRisk: o.AtRisk, Payments: slices.Concat(o.Failed, o.Held)}
	for _, p := range h.Payments {
		if !p.At.IsZero() && (h.Oldest.IsZero() || p.At.Before(h.Oldest)) {
			h.Oldest = p.At
		}
	}
	if len(h.Payments) > most {
		h.Payments = h.Payments[:most]
	}
	return h
}

// refund tells a return from a sale: terminals write a word, or 2 for a return.
func refund(kind string) bool {
	k := strings.ToUpper(kind)
	return k == "2" || strings.Contains(k, "REFUND") || strings.Contains(k, "RETURN")
}

func or(ts ...text) text {
	for _, t := range ts {
		if t != "" {
			return t
		}
	}
	return ""
}

// last4 keeps the end of a masked number; a text that ends in no four digits gives nothing.
func last4(pan string) string {
	if len(pan) < 4 {
		return ""
	}
	end := pan[len(pan)-4:]
	if strings.Trim(end, "0123456789") != "" {
		return ""
	}
	return end
}

// brands are the words for card types in Tillpost's own.
var brands = map[string]string{"VISA": "visa", "MC": "mastercard", "MASTERCARD": "mastercard", "DISC": "discover", "DISCOVER": "discover", "AMEX": "amex",
	"AMERICAN EXPRESS": "amex", "JCB": "jcb", "DEBIT": "debit", "EBT": "ebt", "GIFT": "gift_card", "GIFTCARD": "gift_card"}

func brand(s string) string {
	s = short(s)
	if b, ok := brands[strings.ToUpper(s)]; ok {
		return b
	}
	return strings.ToLower(s)
}
