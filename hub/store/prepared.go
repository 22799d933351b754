package store

import (
	"context"
	"database/sql"
	"sync"
)

// prepared keeps statements of the writer connection: parsing SQL anew for each ticket would cost as much as the insert.
type prepared struct {
	mu sync.Mutex
	by map[string]*sql.Stmt
}

func (p *prepared) get(ctx context.Context, db interface {
	PrepareContext(context.Context, string) (*sql.Stmt, error)
}, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.by[query]; ok {
		return s, nil
	}
	s, err := db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if p.by == nil {
		p.by = map[string]*sql.Stmt{}
	}
	p.by[query] = s
	return s, nil
}

func (p *prepared) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.by {
		s.Close()
	}
	p.by = nil
}
