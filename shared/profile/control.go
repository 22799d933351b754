package profile

import (
	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// control adds a day's rows up to its control total. Code invalid: what is wrong with which row.
func (p *Profile) control(head *Head, r Rows) (retail.Record, error) {
	first := row{p, head, r.Rows[0].Cells}
	c := retail.Control{Source: p.Name, Location: retail.LocationCode(first.text(p.rules.ticket.location)), Day: retail.BusinessDate(first.text(p.rules.day)), Tickets: -1}
	if c.Location == "" {
		c.Location = r.Location
	}
	switch {
	case !c.Day.Valid():
		return nil, invalid("file %s, row %d: it names no day", r.File, r.Rows[0].N)
	case c.Location == "":
		return nil, invalid("file %s: no location is named for it; name one in the folder's settings", r.File)
	}
	for _, one := range []struct {
		rule amount
		into *money.Amount
	}{{p.rules.control[0], &c.Gross}, {p.rules.control[1], &c.Tax}, {p.rules.control[2], &c.Paid}} {
		if one.rule == nil {
			continue
		}
		total := decimal.Decimal{}
		for _, x := range r.Rows {
			d, _, err := row{p, head, x.Cells}.sum(one.rule)
			if err != nil {
				return nil, invalid("file %s, row %d: %v", r.File, x.N, err)
			}
			total = total.Add(d.decimal())
		}
		var err error
		if *one.into, err = money.Round(total, p.Currency); err != nil {
			return nil, invalid("file %s: the total %s is beyond all bounds", r.File, total)
		}
	}
	return c, nil
}
