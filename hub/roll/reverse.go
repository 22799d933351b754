package roll

import (
	"fmt"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/rollup"
)

// TakenBack begins the note of a document that takes a store-day back.
const TakenBack = "taken back"

// Reversal is a person's order to take a store-day back.
type Reversal struct {
	By   string        `json:"by"`
	Why  string        `json:"why"`
	Kept []rollup.Line `json:"kept,omitempty"` // matched in the books: they stay
}

// reverse makes the counter-document of a day that was taken back. Released, the day is booked anew from its tickets, as a delta.
func (dec *Decision) reverse(d Day, o Options) error {
	dec.Why = fmt.Sprintf("taken back by %s: %s. Release it, and it is booked anew", d.Reversed.By, d.Reversed.Why)
	sheet, err := rollup.Reverse(d.Reversed.Kept, o.Books)
	if err != nil {
		return err
	}
	sheet.Mode = d.By()
	c := cases.New(cases.ReversedMatched, d.Key.String(), d.Now)
	if sheet.Suspense.IsZero() {
		dec.Gone = append(dec.Gone, c.ID)
	} else {
		c.Location, c.Day, c.Amount = d.Key.Location, d.Key.Day, sheet.Suspense
		c.Detail = fmt.Sprintf("%d lines are matched in Odoo and stay; %s stand in suspense", len(d.Reversed.Kept), sheet.Suspense)
		dec.Cases = append(dec.Cases, c)
	}
	doc, ok, err := rollup.NextReverse(rollup.Document{Key: d.Key, Date: d.Key.Day, Journal: o.Books.Journal, Tickets: d.Tickets, Mapping: d.Set.Version, Note: TakenBack}, sheet, d.Documents, o.Books)
	if err == nil && ok {
		dec.Document, dec.State = &doc, Posting
	}
	return err
}
