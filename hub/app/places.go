package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
)

const (
	placesLife   = 10 * time.Minute
	placesWithin = 5 * time.Second // a page waits no longer for Odoo
)

// places remembers what the books have to map codes to. Safe for concurrent use.
type places struct {
	cfg  OdooConfig
	of   func(context.Context) ([]odoo.Location, error) // whose companies and databases are asked beside the settings' own
	mu   sync.Mutex
	have []odoo.Place
	read time.Time
}

func newPlaces(c OdooConfig, s *store.Store) *places {
	return &places{cfg: c, of: func(ctx context.Context) ([]odoo.Location, error) { return placesOf(ctx, s) }}
}

// list asks Odoo, every company's books that locations post to, when what is known is old. While one is away what was known holds; none at all is an error.
func (p *places) list(ctx context.Context) ([]odoo.Place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.read) < placesLife {
		return p.have, nil
	}
	ctx, cancel := context.WithTimeout(ctx, placesWithin)
	defer cancel()
	got, err := p.ask(ctx)
	if err != nil {
		if p.have != nil {
			return p.have, nil
		}
		return nil, err
	}
	p.have, p.read = got, time.Now()
	return got, nil
}

func (p *places) ask(ctx context.Context) (out []odoo.Place, err error) {
	ls, err := p.of(ctx)
	if err != nil {
		return nil, err
	}
	for _, b := range booksOf(p.cfg, ls) {
		client, err := OpenOdoo(b.cfg)
		if err != nil {
			return nil, err
		}
		got, err := odoo.Places(ctx, client)
		if err != nil {
			return nil, err
		}
		for _, one := range got {
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out, nil
}
