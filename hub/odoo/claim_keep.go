package odoo

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
)

const (
	// beatEvery is how often a hub says in Odoo that it lives: two small calls.
	beatEvery = 15 * time.Second
	// stillBeats is how many beats may be missed, while Odoo answers, before a claim counts as left behind: two minutes.
	stillBeats = 8
	// gapBeats is how many beats may lie between two looks for what stood there at both to have stood still between them.
	gapBeats = 3
	// settleFor is waited after taking a claim before it is believed: whoever took it in the same moment is seen then.
	settleFor = time.Second
)

// ClaimBook keeps at this hub what must outlive its process.
type ClaimBook interface {
	// LastBeat is what this hub wrote last, zero = never.
	LastBeat(ctx context.Context) (Beat, error)
	// Beating stores what is about to be written.
	Beating(ctx context.Context, b Beat) error
	// Order is a person's word that this hub takes the claim over, "" = none.
	Order(ctx context.Context) (string, error)
	// Stands stores how the claim stands and keeps its case; an order that was carried out (s.By) is used up.
	Stands(ctx context.Context, s Standing) error
}

// Claims keeps a hub's claim on the books that a writer posts to, in Odoo itself, where every hub that is there by mistake finds it: the one of the
// settings' company, and through it those of the other companies that locations post to (claim_kin.go). It is safe for concurrent use.
type Claims struct {
	Name   string // where people find this hub
	Book   ClaimBook
	Every  time.Duration // between beats
	Settle time.Duration // after taking it

	// Others keeps this hub's side of a further company's claim; nil = the settings' claim stands for all companies.
	Others func(company string) ClaimBook
	// Companies names the companies that locations post to, so that their claims are kept while nothing is due; nil = those that had documents.
	Companies func(ctx context.Context) ([]string, error)

	writer *Writer
	log    *slog.Logger
	of     string // a further company, by Odoo's name; "" = the settings'

	kinMu sync.Mutex
	kin   map[string]*Claims // of further companies, by name

	mu    sync.Mutex
	chart *chart
	me    Claim
	last  Beat
	asked bool // last was read
	entry int64
	good  time.Time // the last beat that is known to stand
	tried time.Time
	other pulse // the holder, when it is not us
	rival pulse // who wants it, when it is us
	now   Standing
	told  bool
}

// NewClaims makes a writer ask for the claim before each chain.
func NewClaims(w *Writer, name string, b ClaimBook) *Claims {
	c := &Claims{Name: name, Book: b, Every: beatEvery, Settle: settleFor, writer: w, log: w.Log,
		me: Claim{Hub: envelope.HubID(short(string(w.Hub))), Run: newRun(), Name: name}}
	w.Claims = c
	return c
}

// newRun names one start of a process.
func newRun() string { return envelope.NewEpoch().String()[:12] }

// Hold says whether this hub may post now. While the last beat is young nothing is asked; while another holds the claim it is looked at once a beat.
func (c *Claims) Hold(ctx context.Context) (Standing, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.writer.Now()
	if c.now.Ours && now.Sub(c.good) < 2*c.Every || !c.now.Ours && !c.tried.IsZero() && now.Sub(c.tried) < c.Every {
		return c.now, nil
	}
	return c.beat(ctx)
}

// Keep beats until ctx ends, and then gives the claims back.
func (c *Claims) Keep(ctx context.Context) {
	for {
		for _, k := range c.all(ctx) {
			k.mu.Lock()
			if _, err := k.beat(ctx); err != nil && ctx.Err() == nil {
				c.log.DebugContext(ctx, "cannot look at the claim on the books", "company", k.of, "err", err)
			}
			k.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			for _, k := range c.known() {
				k.release(context.WithoutCancel(ctx))
			}
			return
		case <-time.After(c.Every):
		}
	}
}

// company is what the claim needs of the chart of accounts. It is read apart from the writer's own: that one is read when the first document comes, which is
// after setup has made what it names.
func (c *Claims) company(ctx context.Context) (*chart, error) {
	if c.chart != nil {
		return c.chart, nil
	}
	ch := &chart{journals: map[string]journal{}}
	if err := ch.readCompany(ctx, c.writer.client, books{name: cmp.Or(c.of, c.writer.client.cfg.Company)}); err != nil {
		return nil, err
	}
	if err := ch.readJournals(ctx, c.writer.client); err != nil {
		return nil, err
	}
	if ch.anyGeneral() != 0 {
		c.chart = ch
	}
	return ch, nil
}

// still is how long a claim must not move before it counts as left behind.
func (c *Claims) still() time.Duration { return stillBeats * c.Every }

func (c *Claims) gap() time.Duration { return gapBeats * c.Every }

// beat reads the claim and does what judge says. c.mu is held.
func (c *Claims) beat(ctx context.Context) (Standing, error) {
	if !c.asked {
		var err error
		if c.last, err = c.Book.LastBeat(ctx); err != nil {
			return c.now, outboxError{err}
		}
		c.asked = true
	}
	ch, err := c.company(ctx)
	if err != nil {
		return c.now, err
	}
	held, wants, err := c.read(ctx, ch)
	if KindOf(err) == Refused {
		// An Odoo that takes no empty entry, by a module of its own. Whoever posts a day besides is found before its first entry all the same.
		c.log.WarnContext(ctx, "Odoo keeps no claim on the books: a second hub is noticed only by its entries", "err", err)
		c.now, c.good = Standing{Ours: true, Company: ch.name}, c.writer.Now()
		return c.now, nil
	}
	if err != nil {
		return c.now, err
	}
	order, err := c.Book.Order(ctx)
	if err != nil {
		return c.now, outboxError{err}
	}
	now := c.writer.Now()
	c.other = c.other.see(held, now, c.gap())
	switch judge(held, c.me, c.last, c.other, order != "", now, c.still()) {
	case hold:
		return c.wait(ctx, ch, held)
	case take:
		if !held.Free() {
			c.log.WarnContext(ctx, "the claim on the books is taken over", "from", held.Name, "by", order)
		}
		if held, err = c.take(ctx, ch, held); err != nil {
			return c.now, err
		}
		if !c.last.wrote(held) { // somebody took it in the same moment
			return c.wait(ctx, ch, held)
		}
	case beatOn:
		if err := c.write(ctx, ch, held); err != nil {
			return c.now, err
		}
	}
	c.other, c.good = pulse{}, c.writer.Now()
	if !wants.by(c.me) {
		c.rival = c.rival.see(wants, c.good, c.gap())
	}
	s := Standing{Ours: true, Company: ch.name, By: order}
	if c.rival.moved && !c.rival.dead(c.good, c.still()) {
		s.Other, s.Lives = c.rival.last, true
	}
	return c.stands(ctx, s)
}

// wait holds this hub and says in the claim that it wants it, for the holder to tell.
func (c *Claims) wait(ctx context.Context, ch *chart, held Claim) (Standing, error) {
	if held.by(c.me) { // a machine that was cloned while it ran: from here on they differ
		c.me.Run = newRun()
	}
	c.me.Beat, c.me.Name = c.me.Beat+1, c.Name
	if _, err := c.writer.client.Call(ctx, "account.move", "write", []any{[]int64{c.entry}, map[string]any{"invoice_origin": c.me.String()}}, map[string]any{"context": quiet(ch)}); err != nil {
		return c.now, err
	}
	now := c.writer.Now()
	c.rival, c.tried = pulse{}, now
	c.other = c.other.see(held, now, c.gap())
	return c.stands(ctx, Standing{Company: ch.name, Other: held, Lives: c.other.moved, Again: now.Add(c.Every)})
}

// stands remembers how it is, and tells the hub's store when that is news.
func (c *Claims) stands(ctx context.Context, s Standing) (Standing, error) {
	s.Copy = s.Other.Hub == c.me.Hub
	news := !c.told || !c.now.same(s)
	c.now = s
	if !news {
		return s, nil
	}
	if err := c.Book.Stands(ctx, s); err != nil {
		c.told = false
		return s, outboxError{err}
	}
	c.told = true
	return s, nil
}

// release gives the claim back, so that whoever comes next need not wait.
func (c *Claims) release(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.now.Ours || c.entry == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ch, err := c.company(ctx)
	if err != nil {
		return
	}
	held, _, err := c.read(ctx, ch)
	if err != nil || !held.by(c.me) {
		return
	}
	held.Run = released
	if _, err := c.writer.client.Call(ctx, "account.move", "write", []any{[]int64{c.entry}, map[string]any{"ref": held.String()}}, map[string]any{"context": quiet(ch)}); err != nil {
		c.log.DebugContext(ctx, "cannot give the claim on the books back; others wait some minutes", "err", err)
	}
	c.now = Standing{}
}

// CompanyOf is the name of the company that is meant where the settings name none: the one that the user works in.
func CompanyOf(ctx context.Context, c *Client) (string, error) {
	ch := &chart{}
	err := ch.readCompany(ctx, c, books{name: c.cfg.Company})
	return ch.name, err
}
