package app

import (
	"context"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/fault"
)

// reverseDay takes a store-day back: a counter-document of what is not matched in Odoo, which is asked first.
func reverseDay(ctx context.Context, s *store.Store, cfg OdooConfig, k rollup.DayKey, who, reason string) error {
	posted, err := s.DayPosted(ctx, k)
	if err != nil {
		return err
	}
	clients := map[string]*odoo.Client{}
	for _, d := range cfg.all() {
		if d.cfg.URL == "" {
			continue
		}
		if clients[d.name], err = OpenOdoo(d.cfg); err != nil {
			return err
		}
	}
	var kept []rollup.Line
	for _, p := range posted {
		if p.Move == 0 {
			continue
		}
		c := clients[p.Book]
		if c == nil {
			return fault.Msg(fault.Conflict, "reverse day", "document "+p.Document.ID()+" stands in a database that the settings do not name; nothing was changed")
		}
		lines, err := odoo.Matched(ctx, c, p.Document, p.Home, p.Move, p.Parts)
		if err != nil {
			return err
		}
		kept = append(kept, lines...)
	}
	return s.ReverseDay(ctx, k, kept, who, reason)
}

func (s *desk) reverse(ctx context.Context, k rollup.DayKey, why string) error {
	return reverseDay(ctx, s.Store, s.cfg.Odoo, k, s.who, why)
}
