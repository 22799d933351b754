package store

import (
	"context"
	"errors"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// TicketView is the store's, with the record's own lines laid out: whatever it came as, a ticket, rows of a file or a person's mended text, it
// is read here as it was read for the books.
func (c Clerk) TicketView(ctx context.Context, id int64) (v view.TicketView, err error) {
	if v, err = c.Store.TicketView(ctx, id); err != nil {
		return v, err
	}
	if v.Raw.Erased {
		v.Decoding = "Its customer was erased on request: the record can be read by nobody any more."
		return v, nil
	}
	e, err := c.whole(ctx, c.read, v.Raw.Envelope)
	if errors.Is(err, ErrErased) {
		v.Decoding = "Its customer was erased on request: the record can be read by nobody any more."
		return v, nil
	}
	if err != nil {
		return v, err
	}
	if mended, ok, err := c.mended(ctx, c.read, v.Raw.Envelope); err == nil && ok {
		v.Mended, v.MendedBody = true, mended
	}
	m, g, err := c.gather(ctx, c.read, v.Raw.Envelope, &e, c.Mean(&e), v.Raw.Envelope)
	if err != nil {
		return v, err
	}
	for _, one := range g {
		if one.id == v.Raw.Envelope {
			continue
		}
		raw, err := c.Raw(ctx, one.id)
		if err != nil {
			return v, err
		}
		v.Shares = append(v.Shares, raw)
	}
	if m.Refused != nil {
		v.Decoding = "It cannot be read by this version: " + m.Refused.Error()
		return v, nil
	}
	v.Warning = m.Warning
	switch r := m.Record.(type) {
	case retail.Ticket:
		layTicket(&v, r)
	case retail.Drawer:
		v.Kind, v.Cashier = string(r.Kind), r.Cashier
		v.Lines = []view.TicketLine{{Kind: string(r.Kind), Reason: r.Reason, Amount: r.Amount}}
		if r.Kind == retail.DrawerCount {
			v.Lines = append(v.Lines, view.TicketLine{Kind: "counted", Amount: r.Counted})
		}
	}
	return v, nil
}

func layTicket(v *view.TicketView, t retail.Ticket) {
	v.Cashier, v.Kind, v.Parent = t.Cashier, string(t.Kind), t.Parent
	for _, l := range t.Lines {
		v.Lines = append(v.Lines, view.TicketLine{Kind: string(l.Kind), Code: l.Code, Category: l.Category, Description: l.Description, Quantity: l.Quantity.String(), Reason: l.Reason, Amount: l.Amount})
	}
	for _, p := range t.Tenders {
		v.Tenders = append(v.Tenders, view.TicketTender{Type: p.Type, Brand: p.Brand, Last4: p.Last4, Auth: p.Auth, Ref: p.Ref, Amount: p.Amount})
	}
}
