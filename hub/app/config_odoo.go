package app

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/retail"
)

// OdooConfig says where the books are.
type OdooConfig struct {
	URL       string `toml:"url" comment:"empty: nothing is posted yet"`
	Database  string `toml:"database"`
	User      string `toml:"user"`
	KeyFile   string `toml:"key_file"`
	Expires   string `toml:"key_expires" comment:"YYYY-MM-DD or never, where Odoo does not say it; empty: Odoo is asked"`
	Company   string `toml:"company"`
	AllowHTTP bool   `toml:"allow_http"`
	Transport string `toml:"transport" comment:"auto, xmlrpc or json2; empty: auto, which is json2 from Odoo 19 on"`
	Mode      string `toml:"mode" comment:"test or production; empty: a neutralised database is test, every other production"`

	// Further databases, each with its own lane. What none of them claims goes to the first.
	Also      map[string]OdooConfig `toml:"also,omitempty"`
	Locations []retail.LocationCode `toml:"locations,omitempty" comment:"of a further database: those whose store-days go there"`
	Companies []string              `toml:"companies,omitempty" comment:"of a further database: the companies whose locations' store-days go there"`
}

func (o OdooConfig) validate(f *config.Faults) {
	if o.URL == "" {
		if len(o.Also) > 0 {
			f.Add("odoo.url: it is missing, and odoo.also names further databases")
		}
		return
	}
	if len(o.Locations)+len(o.Companies) > 0 {
		f.Add("odoo.locations, odoo.companies: the first database takes what no other claims; name them at odoo.also")
	}
	o.validateOne("odoo", f)
	o.validateAlso(f)
}

// validateOne looks at one database.
func (o OdooConfig) validateOne(at string, f *config.Faults) {
	for name, v := range map[string]string{"url": o.URL, "database": o.Database, "user": o.User, "key_file": o.KeyFile} {
		if v == "" {
			f.Add("%s.%s: it is missing", at, name)
		}
	}
	if _, ok := mode.Parse(o.Mode); !ok {
		f.Add("%s.mode: %q is not test or production", at, o.Mode)
	}
	if _, err := o.keyEnds(); err != nil {
		f.Add("%s.key_expires: %q is not a date like 2027-02-22, and not \"never\"", at, o.Expires)
	}
	if !odoo.Transport(o.Transport).Valid() {
		f.Add("%s.transport: %q is not auto, xmlrpc or json2", at, o.Transport)
	}
	if o.KeyFile != "" {
		if _, err := config.Secret(o.KeyFile); err != nil {
			f.Add("%s.key_file: %v", at, err)
		}
	}
}

// keyEnds is what the settings say of the key's end: nil = nothing, zero = never.
func (o OdooConfig) keyEnds() (*time.Time, error) {
	switch o.Expires {
	case "":
		return nil, nil
	case "never":
		return &time.Time{}, nil
	}
	at, err := time.Parse(time.DateOnly, o.Expires)
	return &at, err
}

// database is one Odoo database of the settings.
type database struct {
	name string // "" = the first
	cfg  OdooConfig
}

// all lists the settings' databases, the first first and the others by name.
func (o OdooConfig) all() []database {
	out := []database{{"", o}}
	for _, name := range slices.Sorted(maps.Keys(o.Also)) {
		out = append(out, database{name, o.Also[name]})
	}
	return out
}

// beyond is what the outbox must know of the databases after the first.
func (o OdooConfig) beyond() (out []store.Book) {
	for _, d := range o.all()[1:] {
		out = append(out, store.Book{Name: d.name, Locations: d.cfg.Locations, Companies: d.cfg.Companies})
	}
	return out
}

// bookOf is the database that a location's store-days go to: by its code, else by its company, else the first.
func (o OdooConfig) bookOf(l odoo.Location) string {
	others := o.all()[1:]
	for _, d := range others {
		if slices.Contains(d.cfg.Locations, l.Code) {
			return d.name
		}
	}
	for _, d := range others {
		if slices.Contains(d.cfg.Companies, l.Company) {
			return d.name
		}
	}
	return ""
}

// bookName is what a database may be called: it stands in cases' ids and in the names of connections.
var bookName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}$`)

// validateAlso looks at the further databases: two that claim one location, or one database with two writers, would post a store-day twice.
func (o OdooConfig) validateAlso(f *config.Faults) {
	places, companies := map[retail.LocationCode]string{}, map[string]string{}
	seen := map[[2]string]string{{strings.TrimRight(o.URL, "/"), o.Database}: "odoo"}
	for _, d := range o.all()[1:] {
		at := "odoo.also." + d.name
		if !bookName.MatchString(d.name) {
			f.Add("%s: the name may have a-z, 0-9 and -, and at most 31 of them", at)
		}
		d.cfg.validateOne(at, f)
		if len(d.cfg.Also) > 0 {
			f.Add("%s.also: further databases stand beside it, not in it", at)
		}
		if len(d.cfg.Locations)+len(d.cfg.Companies) == 0 {
			f.Add("%s: it names neither locations nor companies, so nothing would go there", at)
		}
		key := [2]string{strings.TrimRight(d.cfg.URL, "/"), d.cfg.Database}
		if seen[key] != "" {
			f.Add("%s: it is the same database as %s; locations of several companies need only the company's name", at, seen[key])
		}
		seen[key] = at
		for _, l := range d.cfg.Locations {
			if places[l] != "" {
				f.Add("%s.locations: %q goes to %s already", at, l, places[l])
			}
			places[l] = at
		}
		for _, c := range d.cfg.Companies {
			if companies[c] != "" || c == "" {
				f.Add("%s.companies: %q is empty or goes to %s already", at, c, companies[c])
			}
			companies[c] = at
		}
	}
}
