package app

import (
	"context"
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// books are one company's, with the locations that post to them.
type books struct {
	cfg       OdooConfig // Company is theirs, "" = the user's own
	locations []odoo.Location
}

// booksOf lists the books that locations post to, those of the settings' own company first: they are there without a location too.
func booksOf(cfg OdooConfig, ls []odoo.Location) []books {
	out := []books{{cfg: cfg}}
	at := map[string]int{"": 0, cfg.Company: 0}
	for _, l := range ls {
		i, known := at[l.Company]
		if !known {
			i = len(out)
			at[l.Company] = i
			own := cfg
			own.Company = l.Company
			out = append(out, books{cfg: own})
		}
		out[i].locations = append(out[i].locations, l)
	}
	return out
}

// only leaves the books' own locations.
func (b books) only(names map[retail.LocationCode]string) {
	maps.DeleteFunc(names, func(code retail.LocationCode, _ string) bool {
		return !slices.ContainsFunc(b.locations, func(l odoo.Location) bool { return l.Code == code })
	})
}

// check looks whether documents of the books' locations can go there.
func (w wants) check(ctx context.Context, b books) (odoo.CheckReport, error) {
	client, err := OpenOdoo(b.cfg)
	if err != nil {
		return odoo.CheckReport{}, err
	}
	o := w.setup
	o.Locations = maps.Clone(o.Locations)
	b.only(o.Locations)
	return odoo.Check(ctx, client, o, w.journal, b.locations)
}

// placesOf lists the confirmed locations with what they say of their money.
func placesOf(ctx context.Context, s *store.Store) (out []odoo.Location, err error) {
	ls, err := s.LocationViews(ctx, view.LocationFilter{})
	for _, l := range ls {
		if l.Confirmed {
			out = append(out, odoo.Location{Code: l.Code, Currency: string(l.Currency), Company: l.Company})
		}
	}
	return out, err
}

// companiesOf lists the companies that locations name.
func companiesOf(ctx context.Context, s *store.Store) (out []string, err error) {
	ls, err := placesOf(ctx, s)
	for _, l := range ls {
		if l.Company != "" && !slices.Contains(out, l.Company) {
			out = append(out, l.Company)
		}
	}
	return out, err
}
