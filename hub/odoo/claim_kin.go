package odoo

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// For is the claim on a company's books, by Odoo's name.
func (c *Claims) For(ctx context.Context, company string) (*Claims, error) {
	if c.Others == nil || company == "" {
		return c, nil
	}
	c.mu.Lock()
	own, err := c.company(ctx)
	c.mu.Unlock()
	if err != nil || own.name == company {
		return c, err
	}
	c.kinMu.Lock()
	defer c.kinMu.Unlock()
	k := c.kin[company]
	if k == nil {
		me := c.me
		me.Run, me.Beat = newRun(), 0
		k = &Claims{Name: c.Name, Book: c.Others(company), Every: c.Every, Settle: c.Settle, writer: c.writer, log: c.log, of: company, me: me}
		if c.kin == nil {
			c.kin = map[string]*Claims{}
		}
		c.kin[company] = k
	}
	return k, nil
}

// all are the claims that this hub is to keep. What cannot be asked now is asked at the next beat.
func (c *Claims) all(ctx context.Context) []*Claims {
	if c.Companies != nil && c.Others != nil {
		names, err := c.Companies(ctx)
		for _, n := range names {
			if err == nil {
				_, err = c.For(ctx, n)
			}
		}
		if err != nil && ctx.Err() == nil {
			c.log.DebugContext(ctx, "cannot see which companies' books to claim", "err", err)
		}
	}
	return c.known()
}

// known are the settings' claim and those of further companies, by name.
func (c *Claims) known() []*Claims {
	c.kinMu.Lock()
	defer c.kinMu.Unlock()
	out := []*Claims{c}
	for _, n := range slices.Sorted(maps.Keys(c.kin)) {
		out = append(out, c.kin[n])
	}
	return out
}

// claimed asks the claim on the books of a share of tasks. held are those that wait because another hub has it. A company that the user may not see has no
// claim, and nothing is posted there either.
func (w *Writer) claimed(ctx context.Context, part share) (held []Outcome, err error) {
	if w.Claims == nil {
		return nil, nil
	}
	claim := w.Claims
	if part.books != (books{}) && claim.Others != nil {
		ch, err := w.charts.get(ctx, part.books, false)
		if errors.Is(err, errNoCompany) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if claim, err = w.Claims.For(ctx, ch.name); err != nil {
			return nil, err
		}
	}
	s, err := claim.Hold(ctx)
	if err != nil || s.Ours {
		return nil, err
	}
	return postpone(nil, part.tasks, s.Again, s.Why()), nil
}
