package hretail

import (
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// tenders reads how it was paid. Change that was given stands as a row of its own and nets with its tender. A voided row never was. On an
// invoice a deposit's row is no new money: it takes from the liability that the order's deposit made. What is neither complete nor voided is
// not counted: the ticket then does not balance, which is its case.
func (s *sale) tenders(rows []object, lines []retail.Line) (out []retail.Tender, _ []retail.Line) {
	for i, p := range rows {
		a, ok, err := p.amount("amount", s.frame.Currency)
		if err != nil || !ok {
			s.check(fmt.Errorf("payment %d has no amount that can be read (%w)", i+1, orNothing(err)))
			continue
		}
		switch st := p.text("status"); {
		case st == "voided" || p.yes("voided"):
		case st != "complete" && st != "":
			if !voided(s.o) {
				s.check(fmt.Errorf("payment %d of %s is %q: settle or remove it in Retail", i+1, a, st))
			}
		case p.yes("deposit") && s.record == "invoice":
			lines = append(lines, retail.Line{Kind: retail.Deposit, Description: "deposit applied", Amount: a.Neg()})
		default:
			out = append(out, s.tender(p, a))
		}
	}
	return out, lines
}

func orNothing(err error) error {
	if err == nil {
		return fmt.Errorf("there is none")
	}
	return err
}

// cards are the places where a card's brand was seen or can be expected; the vendor's own report calls it credit_card_payment.type.
var cards = []string{"credit_card_payment", "credit_card", "card"}

// tender names a payment by its type, in the tenant's words, lower case with underscores; a card whose brand is told by that.
func (s *sale) tender(p object, a money.Amount) retail.Tender {
	t := retail.Tender{Type: Word(s.frame.Tenders[p.text("payment_type_id")]), Amount: a, Ref: p.first("gateway_transaction_id", "reference", "id"),
		Last4: p.first("last4", "last_four", "card_last_four"), Auth: p.first("auth_code", "authorization_code")}
	brand := p.first("card_type", "card_brand", "credit_card_type")
	for _, name := range cards {
		if in := p.inner(name); in != nil && brand == "" {
			brand = in.first("type", "brand", "card_type")
			t.Last4, t.Auth = or(t.Last4, in.first("last4", "last_four")), or(t.Auth, in.first("auth_code", "authorization_code"))
		}
	}
	if t.Brand = Word(brand); t.Brand != "" {
		t.Type = t.Brand
	}
	if t.Type == "" { // a type that is not on the list any more: its class or its own words
		t.Type = Word(or(class(p.text("type")), p.text("description")))
	}
	return t
}

// class is the last part of a class name: "Payments::ExternalPayment" is "ExternalPayment".
func class(s string) string { return s[strings.LastIndex(s, ":")+1:] }

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// Word is how a name that people gave becomes a code: lower case, spaces as underscores.
func Word(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), "_") }
