package app

import (
	"context"
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// calendarLife is how long a location's rules are taken for known: what a command changes in the database holds within it.
const calendarLife = 2 * time.Second

// calendars remembers how locations count their days, so that not every ticket asks the database. Safe for concurrent use.
type calendars struct {
	read func(ctx context.Context, l retail.LocationCode) (retail.Calendar, error)
	mu   sync.Mutex
	have map[retail.LocationCode]calendar
}

type calendar struct {
	retail.Calendar
	until time.Time
}

// calendarsMost bounds what is remembered: a stream that invents locations must not fill the memory.
const calendarsMost = 10_000

func newCalendars(read func(context.Context, retail.LocationCode) (retail.Calendar, error)) *calendars {
	return &calendars{read: read, have: map[retail.LocationCode]calendar{}}
}

// get is meaning.Reader's Calendar. While the database cannot be read, what was known holds.
func (c *calendars) get(l retail.LocationCode) retail.Calendar {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.have[l]; ok && now.Before(k.until) {
		return k.Calendar
	}
	rules, err := c.read(context.Background(), l)
	if err != nil {
		return c.have[l].Calendar
	}
	if len(rules) == 0 {
		return nil // not remembered: the next ticket after a person's answer must find it
	}
	if len(c.have) > calendarsMost {
		clear(c.have)
	}
	c.have[l] = calendar{rules, now.Add(calendarLife)}
	return rules
}

// forget makes the next get read again.
func (c *calendars) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.have)
}
