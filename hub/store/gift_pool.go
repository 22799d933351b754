package store

import (
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// giftPools gathers, pool by pool, what the hub knows of gift cards: the policies first, then the locations, then the sums.
type giftPools struct {
	cards  []ledger.GiftCards
	at     map[ledger.GiftPool]int // place in cards
	of     map[retail.LocationCode]ledger.GiftPool
	mixed  map[ledger.GiftPool]bool // it has locations of two currencies
	months map[ledger.GiftPool]map[string]*ledger.GiftMonth
}

func newGiftPools(ps []ledger.GiftPolicy) *giftPools {
	g := &giftPools{cards: []ledger.GiftCards{}, at: map[ledger.GiftPool]int{}, of: map[retail.LocationCode]ledger.GiftPool{},
		mixed: map[ledger.GiftPool]bool{}, months: map[ledger.GiftPool]map[string]*ledger.GiftMonth{}}
	for _, p := range ps {
		if p.Location != "" {
			g.of[p.Location] = p.GiftPool
		}
		i, ok := g.at[p.GiftPool]
		if !ok {
			i = len(g.cards)
			g.at[p.GiftPool] = i
			g.cards = append(g.cards, ledger.GiftCards{Pool: p.GiftPool})
		}
		g.cards[i].Policies = append(g.cards[i].Policies, p)
	}
	return g
}

// place puts a location into its own pool, or else into its company's; "" is the settings' company.
func (g *giftPools) place(code retail.LocationCode, currency money.Currency, company string) {
	if _, ok := g.of[code]; !ok {
		g.of[code] = ledger.GiftPool{Company: company}
	}
	pool := g.of[code]
	if i, ok := g.at[pool]; ok {
		c := &g.cards[i]
		g.mixed[pool] = g.mixed[pool] || (c.Currency != "" && c.Currency != currency)
		c.Currency = currency
	}
}

// pool is that of a location, with its policies; ok = false: there is no policy for it.
func (g *giftPools) pool(l retail.LocationCode) (c *ledger.GiftCards, ok bool) {
	i, ok := g.at[g.of[l]]
	if !ok {
		return nil, false
	}
	return &g.cards[i], true
}

func (g *giftPools) month(l retail.LocationCode, m string) *ledger.GiftMonth {
	pool := g.of[l]
	if g.months[pool] == nil {
		g.months[pool] = map[string]*ledger.GiftMonth{}
	}
	if g.months[pool][m] == nil {
		g.months[pool][m] = &ledger.GiftMonth{Month: m}
	}
	return g.months[pool][m]
}

// till adds what a location's tills sold of gift cards, or took in them, in a month.
func (g *giftPools) till(l retail.LocationCode, m string, measure ledger.Account, minor int64) {
	c, ok := g.pool(l)
	if !ok {
		return
	}
	role, code := measure.Split()
	switch {
	case role == ledger.GiftCard:
		g.month(l, m).Sold -= minor
	case role == ledger.Tender && slices.ContainsFunc(c.Policies, func(p ledger.GiftPolicy) bool { return p.Tender == code }):
		g.month(l, m).Redeemed += minor
	}
}

// hand adds what a person posted.
func (g *giftPools) hand(v ledger.Voucher) {
	if _, ok := g.pool(v.Location); !ok {
		return
	}
	for _, p := range v.Postings {
		m := g.month(v.Location, string(v.Day[:7]))
		switch p.Credit {
		case ledger.Account(ledger.Breakage):
			m.Broken += p.Amount.Minor
			m.Hand += p.Amount.Minor
		case ledger.Account(ledger.Unclaimed):
			m.Hand += p.Amount.Minor
		}
	}
}

// all returns the pools with their months; one of two currencies has none.
func (g *giftPools) all() []ledger.GiftCards {
	for pool, i := range g.at {
		for _, m := range g.months[pool] {
			g.cards[i].Months = append(g.cards[i].Months, *m)
		}
		if g.mixed[pool] {
			g.cards[i].Currency = ""
		}
	}
	return g.cards
}
