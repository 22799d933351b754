package roll

import (
	"fmt"

	"github.com/tillpost/tillpost/hub/rollup"
)

// tickets makes the documents of a day that goes ticket by ticket.
func (dec *Decision) tickets(d Day, o Options, note string) error {
	docs, held, err := d.NextTickets(o.Books, note)
	if err != nil {
		return err
	}
	if held > 0 {
		dec.Why = fmt.Sprintf("%d tickets wait for another status of their payments", held)
	}
	if len(docs) == 0 {
		dec.State = Worst(d.States)
		if len(d.Documents) == 0 && held == 0 {
			dec.Why = "nothing to post: no money moved"
		}
		return nil
	}
	dec.Document, dec.More, dec.State = &docs[0], docs[1:], Posting
	return nil
}

// NextTickets are the next documents of a day that goes ticket by ticket; held tickets wait for another status.
func (d Day) NextTickets(b rollup.Books, note string) (docs []rollup.Document, held int, err error) {
	return rollup.NextTickets(rollup.Tickets{Key: d.Key, Totals: d.Totals, Parts: d.Parts, Slips: d.Slips, Posted: d.Documents, Books: b, Set: d.Set, Table: d.Table, Tickets: d.Tickets, Note: note})
}
