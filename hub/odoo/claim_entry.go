package odoo

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// claimID is the external id of the claim on a company's books: the same for every hub.
func claimID(company int64) string { return fmt.Sprintf("tillpost.claim_%d", company) }

// read returns what stands in the claim and who wants it, making it when there is none. It is a cancelled entry without items: the one kind of record
// that whoever posts entries may make, read and change in every version, in which no money can stand and which keeps no period open.
func (c *Claims) read(ctx context.Context, ch *chart) (held, wants Claim, err error) {
	for range 2 {
		if c.entry == 0 {
			if c.entry, err = c.make(ctx, ch); err != nil {
				return held, wants, err
			}
		}
		got, err := c.writer.client.search(ctx, "account.move", []any{[]any{"id", "=", c.entry}}, []string{"ref", "invoice_origin", "state"}, ch.in())
		if err != nil {
			return held, wants, err
		}
		if len(got) != 1 { // deleted by a person: it is made again, and whoever makes it first has it
			c.entry = 0
			continue
		}
		if text(got[0]["state"]) == "draft" { // a draft would keep its period from being closed
			if _, err := c.writer.client.Call(ctx, "account.move", "button_cancel", []any{[]int64{c.entry}}, map[string]any{"context": quiet(ch)}); err != nil {
				return held, wants, err
			}
		}
		return parseClaim(text(got[0]["ref"])), parseClaim(text(got[0]["invoice_origin"])), nil
	}
	return held, wants, &Error{Kind: Busy, Text: "the claim on the books is deleted as often as it is made"}
}

// make loads the claim under its external id: of several hubs that do so at once one makes it and all get the same entry.
func (c *Claims) make(ctx context.Context, ch *chart) (int64, error) {
	if known, err := c.writer.client.claimEntry(ctx, ch.company); err != nil || known != 0 {
		return known, err
	}
	journal := ch.anyGeneral()
	if journal == 0 {
		return 0, &Error{Kind: Refused, Text: "company " + ch.name + " has no general journal"}
	}
	mine, err := c.next(ctx, Claim{})
	if err != nil {
		return 0, err
	}
	in := quiet(ch)
	in["mode"], in["noupdate"], in["skip_invoice_sync"] = "update", true, true
	got, err := c.writer.client.Call(ctx, "account.move", "load", []any{[]string{"id", "move_type", "journal_id/.id", "date", "ref"},
		[]any{[]string{claimID(ch.company), "entry", fmt.Sprint(journal), c.writer.Now().UTC().Format(time.DateOnly), mine.String()}}}, map[string]any{"context": in})
	if err != nil {
		return 0, err
	}
	m, _ := got.(map[string]any)
	if out := ids(m["ids"]); len(out) == 1 {
		return out[0], nil
	}
	words := messages(m["messages"])
	if transient(words) {
		return 0, &Error{Kind: Busy, Text: words}
	}
	return 0, &Error{Kind: Refused, Text: oneLine(words)}
}

// next is the claim's next text, stored before it is sent: after a kill the hub knows its own writing again. held is what stands there; it counts on from
// that and not from what was sent last, of which nobody knows how much arrived.
func (c *Claims) next(ctx context.Context, held Claim) (Claim, error) {
	b := Beat{Run: c.me.Run, N: 1}
	switch {
	case held.by(c.me):
		b.N = held.Beat + 1
	case c.last.wrote(held):
		b.Was, b.WasN = held.Run, held.Beat
	}
	if err := c.Book.Beating(ctx, b); err != nil {
		return Claim{}, outboxError{err}
	}
	c.last = b
	c.me.Beat, c.me.Name = b.N, c.Name
	return c.me, nil
}

// write says that this hub, which holds the claim, lives.
func (c *Claims) write(ctx context.Context, ch *chart, held Claim) error {
	mine, err := c.next(ctx, held)
	if err != nil {
		return err
	}
	_, err = c.writer.client.Call(ctx, "account.move", "write", []any{[]int64{c.entry}, map[string]any{"ref": mine.String()}}, map[string]any{"context": quiet(ch)})
	return err
}

// take writes the claim, waits, and reads what then stands there.
func (c *Claims) take(ctx context.Context, ch *chart, was Claim) (held Claim, err error) {
	if err := c.write(ctx, ch, was); err != nil {
		return held, err
	}
	select {
	case <-ctx.Done():
		return held, ctx.Err()
	case <-time.After(c.Settle):
	}
	held, _, err = c.read(ctx, ch)
	return held, err
}

// quiet is a context in which Odoo notes no change in the entry's chatter.
func quiet(ch *chart) map[string]any {
	in := ch.in()
	in["tracking_disable"], in["mail_create_nolog"], in["mail_notrack"] = true, true, true
	return in
}

// anyGeneral is the company's oldest general journal, 0 = it has none.
func (ch *chart) anyGeneral() (oldest int64) {
	for _, j := range ch.journals {
		if j.kind == "general" && (oldest == 0 || j.id < oldest) {
			oldest = j.id
		}
	}
	return oldest
}

// ReadClaim tells who holds the claim on the settings' company and who else wants it, without making or changing anything; both are zero where no hub
// has been yet.
func ReadClaim(ctx context.Context, c *Client) (held, wants Claim, err error) {
	ch := &chart{}
	if err := ch.readCompany(ctx, c, books{name: c.cfg.Company}); err != nil {
		return held, wants, err
	}
	entry, err := c.claimEntry(ctx, ch.company)
	if err != nil || entry == 0 {
		return held, wants, err
	}
	at, err := c.search(ctx, "account.move", []any{[]any{"id", "=", entry}}, []string{"ref", "invoice_origin"}, ch.in())
	if err != nil || len(at) != 1 {
		return held, wants, err
	}
	return parseClaim(text(at[0]["ref"])), parseClaim(text(at[0]["invoice_origin"])), nil
}

// claimEntry is the id of the entry that is the claim, 0 = there is none. A load would make it.
func (c *Client) claimEntry(ctx context.Context, company int64) (int64, error) {
	module, name, _ := strings.Cut(claimID(company), ".")
	got, err := c.Call(ctx, "ir.model.data", "check_object_reference", []any{module, name}, nil)
	if kind := KindOf(err); kind == Broken || kind == Refused || kind == Rights { // "External ID not found"
		return 0, nil
	}
	pair, _ := got.([]any)
	if err != nil || len(pair) != 2 {
		return 0, err
	}
	return id(pair[1]), nil
}
