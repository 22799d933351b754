// Package possql polls a till's own database, read only, through a profile of one query: what is new, and again and again what was edited or
// voided after the fact. It never stands in a till's way; DESIGN.md says how.
package possql

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	lookEvery   = 15 * time.Second // for new tickets
	recentEvery = 10 * time.Minute // all of the last days
	// overlap is how far before the newest ticket each look begins: a ticket may be closed a while after its time.
	overlap = 30 * time.Minute
	// slack is kept between what was looked at and what a mark promises: a till's clock may be some minutes off.
	slack = 10 * time.Minute
	// nightHour is when the long comparison runs, by the store's clock.
	nightHour = 3
)

// Options say which database, and how it is read.
type Options struct {
	Server   Server
	Profile  *profile.Profile
	Location retail.LocationCode // for tickets that name none
	Zone     string              // the tills' clock; "" = the profile's
	Mode     mode.Mode
	Log      *slog.Logger
	Now      func() time.Time // nil = time.Now
}

// Database is one till database; it implements source.Source.
type Database struct {
	o      Options
	server Server
	name   string
	zone   *time.Location
	br     *breaker.Breaker
	pieces source.Pieces

	looked, recent time.Time       // when that was done last
	fresh          map[string]seen // tickets that were seen once and not sent yet
	version        string          // of the profile
	told           bool            // an own profile was sent ahead: once since the program began, for another may have been in force before
}

// seen is what is remembered of a recent ticket.
type seen struct {
	At   int64  `json:"t"` // Unix seconds
	Hash string `json:"h"`
}

// day is what is remembered of an older one.
type day struct {
	Hash  string `json:"h"`
	Count int    `json:"n"`
}

// cursor is the source's memory.
type cursor struct {
	Newest time.Time                   `json:"newest,omitzero"`
	Seen   map[string]seen             `json:"seen,omitempty"`  // tickets of the recent days
	Days   map[retail.BusinessDate]day `json:"days,omitempty"`  // older days, by the date of the tills' clock
	Night  retail.BusinessDate         `json:"night,omitempty"` // the last long comparison that was finished
	Next   retail.BusinessDate         `json:"next,omitempty"`  // where a running one goes on
	Marked time.Time                   `json:"marked,omitzero"`
}

// New returns a database's source under its name, which must never change. Code invalid for a zone that does not exist.
func New(name string, o Options) (*Database, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == "" {
		o.Zone = o.Profile.Zone
	}
	zone, err := time.LoadLocation(o.Zone)
	if err != nil {
		return nil, fault.Msg(fault.Invalid, "possql/"+name, "the time zone "+o.Zone+" is unknown; write it like America/New_York")
	}
	return &Database{o: o, server: o.Server, name: "possql/" + name, zone: zone, fresh: map[string]seen{}, version: o.Profile.Version(),
		br: breaker.New("possql/"+name, breaker.Options{Mode: o.Mode})}, nil
}

// Name implements source.Source.
func (d *Database) Name() string { return d.name }

// Breakers are the source's connections.
func (d *Database) Breakers() []*breaker.Breaker { return []*breaker.Breaker{d.br} }

// Read implements source.Source. While the connection rests or is refused there is nothing new; its status says why.
func (d *Database) Read(ctx context.Context, after source.Cursor, most int) ([]source.Draft, source.Cursor, error) {
	if ds, next, more := d.pieces.Next(after, most); more {
		return ds, next, nil
	}
	now := d.o.Now()
	if now.Sub(d.looked) < lookEvery {
		return nil, after, nil
	}
	c := cursor{Seen: map[string]seen{}, Days: map[retail.BusinessDate]day{}}
	if own := source.Whole(after); own != "" {
		if err := json.Unmarshal([]byte(own), &c); err != nil {
			return nil, after, fault.New(fault.Internal, "read cursor of "+d.name, err)
		}
	}
	d.looked = now
	r := round{d: d, now: now, c: c}
	err := d.br.Do(ctx, r.look)
	switch {
	case ctx.Err() != nil:
		return nil, after, ctx.Err()
	case err != nil:
		d.o.Log.InfoContext(ctx, "a till's database cannot be read", "source", d.name, "err", err)
		return nil, after, nil
	case !r.changed:
		return nil, after, nil
	}
	last, err := json.Marshal(r.c)
	if err != nil {
		return nil, after, fault.New(fault.Internal, "write cursor of "+d.name, err)
	}
	if len(r.drafts) == 0 {
		return nil, source.Cursor(last), nil
	}
	d.told = true
	d.pieces.Put(after, r.drafts, source.Cursor(last))
	ds, next, _ := d.pieces.Next(after, most)
	return ds, next, nil
}

// round is one look: what is due, what was found, what is remembered then.
type round struct {
	d       *Database
	now     time.Time
	c       cursor
	drafts  []source.Draft
	changed bool // there is something to store
}

// look does what is due: first what is new, then the recent days, then a piece of the nightly comparison.
func (r *round) look(ctx context.Context) error {
	r.introduce()
	today := retail.DateOf(r.now.In(r.d.zone))
	first := today.AddDays(1 - r.d.o.Profile.SQL.Recent)
	switch {
	case r.d.recent.IsZero() || r.now.Sub(r.d.recent) >= recentEvery:
		if err := r.compare(ctx, r.start(first), true); err != nil {
			return err
		}
		r.d.recent = r.now
	default:
		from := r.c.Newest.Add(-overlap)
		for _, f := range r.d.fresh {
			if at := time.Unix(f.At, 0); at.Before(from) {
				from = at
			}
		}
		if from.Before(r.start(first)) {
			from = r.start(first)
		}
		if err := r.compare(ctx, from, false); err != nil {
			return err
		}
	}
	r.age(first)
	return r.nightly(ctx, today, first)
}

// start is when a date begins by the tills' clock.
func (r *round) start(d retail.BusinessDate) time.Time {
	return retail.Trading{Zone: r.d.zone}.Start(d)
}

// introduce sends an own profile ahead of the first rows that need it.
func (r *round) introduce() {
	p := r.d.o.Profile
	if r.d.told || r.d.version == profile.FromShipped {
		return
	}
	r.changed = true
	r.drafts = append(r.drafts, source.Draft{Stream: envelope.Sales, Kind: decode.Profile, Key: p.Name, ContentType: "application/toml", At: r.now, Body: p.TOML()})
}

// mark proves how far each location was read: everything that stood still before.
func (r *round) mark(through time.Time, locations map[retail.LocationCode]bool) error {
	if r.d.o.Location != "" {
		locations = map[retail.LocationCode]bool{r.d.o.Location: true}
	}
	if through = through.Add(-slack); !through.After(r.c.Marked) {
		return nil
	}
	r.c.Marked, r.changed = through, true
	var names []retail.LocationCode
	for l := range locations {
		names = append(names, l)
	}
	slices.Sort(names)
	for _, l := range names {
		body, err := json.Marshal(retail.ReadTo{Source: r.d.name, Location: l, Through: through, Profile: r.d.o.Profile.Name})
		if err != nil {
			return fault.New(fault.Internal, "write mark", err)
		}
		r.drafts = append(r.drafts, source.Draft{Stream: envelope.Sales, Location: l, Kind: decode.ReadTo, ContentType: "application/json", At: r.now, Body: body})
	}
	return nil
}
