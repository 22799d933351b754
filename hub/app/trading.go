package app

import (
	"context"
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// tradingLife is how long a location's rules are taken for known: what a command changes in the database holds within it.
const tradingLife = 2 * time.Second

// tradings remembers how locations count their days, so that not every ticket asks the database. Safe for concurrent use.
type tradings struct {
	read func(ctx context.Context, l retail.LocationCode, d retail.BusinessDate) (retail.Trading, bool, error)
	mu   sync.Mutex
	have map[tradingKey]trading
}

type tradingKey struct {
	location retail.LocationCode
	date     retail.BusinessDate
}

type trading struct {
	retail.Trading
	ok    bool
	until time.Time
}

// get is meaning.Reader's Trading. A rule's date of effect is looked up by the date in UTC: rules change at most by a day, tickets name
// their day themselves where it matters to the minute.
func (t *tradings) get(l retail.LocationCode, at time.Time) (retail.Trading, bool) {
	k, now := tradingKey{l, retail.DateOf(at.UTC())}, time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if g, ok := t.have[k]; ok && now.Before(g.until) {
		return g.Trading, g.ok
	}
	g, ok, err := t.read(context.Background(), l, k.date)
	if err != nil {
		return retail.Trading{}, false // the record is refused with a case and read again later
	}
	if len(t.have) > 10_000 {
		clear(t.have)
	}
	t.have[k] = trading{g, ok, now.Add(tradingLife)}
	return g, ok
}

// forget makes the next get read again.
func (t *tradings) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.have)
}
