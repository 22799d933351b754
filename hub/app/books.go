package app

import (
	"context"
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// books are one company's in one database, with the locations that post to them.
type books struct {
	name      string     // of the database
	cfg       OdooConfig // Company is theirs, "" = the user's own
	further   bool       // of a company that only locations name
	locations []odoo.Location
}

// booksOf lists the books that locations post to. The first are those of the settings' own company, which are there without a location too.
func booksOf(cfg OdooConfig, ls []odoo.Location) (out []books) {
	at := map[[2]string]int{}
	for _, d := range cfg.all() {
		at[[2]string{d.name, ""}], at[[2]string{d.name, d.cfg.Company}] = len(out), len(out)
		out = append(out, books{name: d.name, cfg: d.cfg})
	}
	for _, l := range ls {
		key := [2]string{cfg.bookOf(l), l.Company}
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			own := out[at[[2]string{key[0], ""}]].cfg
			own.Company = l.Company
			out = append(out, books{name: key[0], cfg: own, further: true})
		}
		out[i].locations = append(out[i].locations, l)
	}
	// A further database whose own company has no location is not written to there: its locations say which company they are of.
	return slices.DeleteFunc(out, func(b books) bool { return b.name != "" && len(b.locations) == 0 })
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
	o.Receipts = slices.DeleteFunc(slices.Clone(o.Receipts), func(l retail.LocationCode) bool { _, here := o.Locations[l]; return !here })
	return odoo.Check(ctx, client, o, w.journal, b.locations)
}

// placesOf lists the confirmed locations with what they say of their money.
func placesOf(ctx context.Context, s *store.Store) (out []odoo.Location, err error) {
	ls, err := s.LocationViews(ctx, view.LocationFilter{})
	if err != nil {
		return nil, err
	}
	set, err := s.Mapping(ctx)
	for _, l := range ls {
		if !l.Confirmed {
			continue
		}
		own := odoo.Location{Code: l.Code, Currency: string(l.Currency), Company: l.Company}
		out = append(out, own)
		for _, r := range set.Rules { // companies that it belongs to from a day on need the same of what is its
			if own.Company = r.Target.Company; r.Role == mapping.Location && own.Company != "" && (r.Code == string(l.Code) || r.Code == mapping.Any) && !slices.Contains(out, own) {
				out = append(out, own)
			}
		}
	}
	return out, err
}
