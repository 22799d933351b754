package roll

import (
	"fmt"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/money"
)

// backSoon is how long stores may take to connect to a hub that was put back, before a person is asked.
const backSoon = 15 * time.Minute

// Back is what a store-day waits for whose documents were taken back from Odoo after the hub was put back from a backup.
type Back struct {
	Since time.Time // zero = nothing: it was not, or all of it is here again
	Away  []string  // PCs that have not sent again yet all that they hold, in words
	Again time.Time // some of what came is not in the day's sums yet: look then
}

// back keeps what Odoo holds of a day until all that the stores still have is here again: a document made now would take back what was posted, because its
// tickets are missing here. When the books say what is here, the day is whole.
func (dec *Decision) back(d Day, o Options) error {
	if dec.Document == nil {
		if dec.Next.IsZero() && d.Reversed == nil {
			lacks, err := d.lacks(o)
			dec.Whole = err == nil && !lacks
			return err
		}
		return nil
	}
	if d.Reversed != nil { // it takes back what is in the books, whatever is here
		return nil
	}
	if dec.Whole = len(d.Back.Away) == 0 && d.Back.Again.IsZero(); dec.Whole {
		return nil
	}
	c := cases.New(cases.NotBack, d.Key.String(), d.Now)
	c.Location, c.Day = d.Key.Location, d.Key.Day
	for _, doc := range append(dec.More, *dec.Document) {
		for _, l := range doc.Lines {
			if l.Amount.Minor > 0 {
				c.Amount = money.Of(c.Amount.Minor+l.Amount.Minor, l.Amount.Currency)
			}
		}
	}
	dec.Document, dec.More, dec.State, dec.Next = nil, nil, Waiting, d.Back.Again
	if len(d.Back.Away) == 0 {
		dec.Why = "what the stores sent again is being added"
		return nil
	}
	c.Detail = fmt.Sprintf("Odoo and what is here differ by %s: %s", c.Amount, strings.Join(d.Back.Away, "; "))
	dec.Why = "the hub was put back from a backup, and what is in Odoo stays until this day's tickets are here again. " + c.Detail
	if ask := d.Back.Since.Add(backSoon); d.Now.Before(ask) {
		dec.Next = ask
	} else {
		dec.Cases = append(dec.Cases, c)
	}
	return nil
}
