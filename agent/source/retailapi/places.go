package retailapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
	"github.com/tillpost/tillpost/shared/retail"
)

// spot is what is known of a location.
type spot struct {
	Code retail.LocationCode `json:"code"`
	Zone string              `json:"zone"`
	zone *time.Location
}

// registry is what is known beside the tickets.
type registry struct {
	places     map[string]spot   // by id, of those that the token may see
	once       map[string]spot   // and of those that it ever saw
	tenders    map[string]string // payment type id → name
	categories map[string]string // item id → category
	hashes     map[string]string // "kind/id" → what was told
	away       map[string]string // ids of places that could not be seen when it was last looked
	back       []string          // and of those that can be seen again, or for the first time, until they are read from the beginning
	refreshed  time.Time
}

func (r registry) id(code retail.LocationCode) int64 {
	for id, p := range r.places {
		if p.Code == code {
			n, _ := json.Number(id).Int64()
			return n
		}
	}
	return 0
}

// loadFacts remembers what earlier runs have learnt.
func (s *Source) loadFacts(ctx context.Context) (err error) {
	r := registry{places: map[string]spot{}, once: map[string]spot{}, tenders: map[string]string{}}
	if r.categories, err = s.x.facts(ctx, "category/"); err != nil {
		return err
	}
	if r.hashes, err = s.x.facts(ctx, "hash/"); err != nil {
		return err
	}
	if r.away, err = s.x.facts(ctx, "away/"); err != nil {
		return err
	}
	places, err := s.x.facts(ctx, "place/")
	if err != nil {
		return err
	}
	for id, text := range places {
		var p spot
		if json.Unmarshal([]byte(text), &p) == nil {
			r.once[id] = p
		}
	}
	s.reg = r
	return nil
}

func (s *Source) placesJob(ctx context.Context, j *job, _ *cursor, _ int) (batch, error) {
	j.again(time.Now(), false)
	clear(s.plan.most) // what failed an hour ago may have been a sick server
	return batch{}, s.refreshPlaces(ctx)
}

// refreshPlaces reads locations with their stations, and payment types, and queues what changed. A location that was there and is not any
// more is how narrowed rights show: the API says nothing.
func (s *Source) refreshPlaces(ctx context.Context) error {
	rows, err := s.all(ctx, "/locations", query{include: []string{"stations"}})
	if err != nil {
		return s.rights(err, "locations")
	}
	types, err := s.all(ctx, "/payment_types", query{})
	if err != nil && !answered(err, http.StatusForbidden) && !answered(err, http.StatusNotFound) {
		return err
	}
	first := len(s.reg.once) == 0
	places, known := map[string]spot{}, maps.Clone(s.reg.once)
	for _, raw := range rows {
		if err := s.onePlace(raw, places); err != nil {
			return err
		}
	}
	for _, raw := range types {
		var t struct {
			ID   json.Number `json:"id"`
			Name string      `json:"name"`
		}
		if json.Unmarshal(raw, &t) == nil && t.Name != "" {
			s.reg.tenders[t.ID.String()] = t.Name
			s.tell(hretail.PaymentType, t.ID.String(), "", hretail.Frame{}, raw, nil)
		}
	}
	s.reg.places, s.reg.refreshed = places, time.Now()
	gone, err := s.missed(ctx, known, first)
	if err != nil {
		return err
	}
	s.mu.Lock()
	changed := !slices.Equal(s.hidden, gone)
	s.hidden = gone
	s.mu.Unlock()
	if changed && len(gone) > 0 {
		s.o.Log.ErrorContext(ctx, "locations are not visible any more: the token's user has lost its right to them, or they were deleted. Their tickets are missing, and their days wait", "source", s.name, "locations", strings.Join(gone, ", "))
	}
	return nil
}

// missed compares with what could be seen before. What was sold while a place could not be seen was passed over in silence: when it can be
// seen again, or for the first time, its days are read from the beginning, and it has no mark until then.
func (s *Source) missed(ctx context.Context, known map[string]spot, first bool) (gone []string, err error) {
	facts := map[string]string{}
	for id, p := range known {
		if _, ok := s.reg.places[id]; !ok && s.wants(p.Code) {
			gone = append(gone, string(p.Code))
			s.reg.away[id], facts["away/"+id] = "yes", "yes"
		}
	}
	for id, p := range s.reg.places {
		_, was := known[id]
		if (s.reg.away[id] == "yes" || !was && !first) && s.wants(p.Code) && !slices.Contains(s.reg.back, id) {
			s.reg.back = append(s.reg.back, id)
		}
	}
	slices.Sort(gone)
	return gone, s.x.apply(ctx, effects{facts: facts}) // at once: it is remembered whatever becomes of this step
}

// comeBack plans to read the days of places that can be seen again.
func (s *Source) comeBack(c *cursor, got *batch) {
	now := s.c.now().UTC()
	today := retail.DateOf(now)
	for _, id := range s.reg.back {
		for d := max(c.Since, today.AddDays(-lookBackDays)); d <= today.AddDays(1); d = d.AddDays(1) {
			c.Scans = append(c.Scans, s.dayScans(d, s.reg.places[id].Code, now)...)
		}
		delete(s.reg.away, id)
		if got.then.facts == nil {
			got.then.facts = map[string]string{}
		}
		got.then.facts["away/"+id] = ""
	}
	s.reg.back = nil
}

func (s *Source) wants(code retail.LocationCode) bool {
	return len(s.o.Locations) == 0 || slices.Contains(s.o.Locations, code)
}

// onePlace reads a location, and tells it and its stations where they changed.
func (s *Source) onePlace(raw json.RawMessage, places map[string]spot) error {
	var l struct {
		ID       json.Number       `json:"id"`
		Number   string            `json:"public_id"`
		Zone     string            `json:"time_zone"`
		Stations []json.RawMessage `json:"stations"`
	}
	if err := json.Unmarshal(raw, &l); err != nil || l.ID == "" {
		return fault.Msg(fault.Invalid, "read /locations", fmt.Sprintf("a location cannot be read: %.200s", raw))
	}
	p := spot{Code: retail.LocationCode(l.Number), Zone: l.Zone}
	if p.Code == "" {
		p.Code = retail.LocationCode(l.ID.String())
	}
	if p.Zone == "" {
		p.Zone = s.o.Zone
	}
	var err error
	if p.zone, err = time.LoadLocation(p.Zone); err != nil {
		p.zone = time.UTC
	}
	id := l.ID.String()
	places[id] = p
	if !s.wants(p.Code) {
		return nil
	}
	b, err := json.Marshal(p)
	if err != nil {
		return fault.New(fault.Internal, "note location", err)
	}
	s.reg.once[id] = p
	s.tell(hretail.Location, id, p.Code, hretail.Frame{Zone: p.Zone, Currency: s.o.Currency}, raw, map[string]string{"place/" + id: string(b)})
	for _, st := range l.Stations {
		var x struct {
			ID json.Number `json:"id"`
		}
		if json.Unmarshal(st, &x) == nil && x.ID != "" {
			s.tell(hretail.Station, x.ID.String(), p.Code, hretail.Frame{}, st, nil)
		}
	}
	return nil
}

// tell queues a record of the registry when it is another than was told before.
func (s *Source) tell(k envelope.Kind, id string, at retail.LocationCode, f hretail.Frame, raw json.RawMessage, facts map[string]string) {
	sum := sha256.Sum256(raw)
	name, hash := string(k)+"/"+id, hex.EncodeToString(sum[:8])
	if s.reg.hashes[name] == hash {
		return
	}
	f.Tenant, f.Location, f.Record = s.o.Tenant, at, raw
	body, err := f.Encode()
	if err != nil {
		return
	}
	s.reg.hashes[name] = hash
	then := effects{facts: map[string]string{"hash/" + name: hash}}
	for n, v := range facts {
		then.facts[n] = v
	}
	s.queue = append(s.queue, parcel{source.Draft{Stream: envelope.State, Location: at, Kind: k, Key: id, ContentType: "application/json", At: time.Now(), Body: body}, then})
}

// all reads every page of a small collection, by keyset where ids can be asked for.
func (s *Source) all(ctx context.Context, path string, q query) (out []json.RawMessage, err error) {
	q.rows, q.sort = 200, []string{"id"}
	for q.page = 1; q.page <= 100; q.page++ {
		p, err := s.c.list(ctx, path, q)
		if err != nil {
			return nil, err
		}
		out = append(out, p.Results...)
		if len(p.Results) == 0 || len(out) >= p.Total {
			return out, nil
		}
	}
	return out, nil
}
