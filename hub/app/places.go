package app

import (
	"context"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
)

const (
	placesLife   = 10 * time.Minute
	placesWithin = 5 * time.Second // a page waits no longer for Odoo
)

// places remembers what the books have to map codes to. Safe for concurrent use.
type places struct {
	cfg  OdooConfig
	mu   sync.Mutex
	have []odoo.Place
	read time.Time
}

func newPlaces(c OdooConfig) *places { return &places{cfg: c} }

// list asks Odoo when what is known is old. While Odoo is away what was known holds; none at all is an error.
func (p *places) list(ctx context.Context) ([]odoo.Place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.read) < placesLife {
		return p.have, nil
	}
	client, err := OpenOdoo(p.cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, placesWithin)
	defer cancel()
	got, err := odoo.Places(ctx, client)
	if err != nil {
		if p.have != nil {
			return p.have, nil
		}
		return nil, err
	}
	p.have, p.read = got, time.Now()
	return got, nil
}
