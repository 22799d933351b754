package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/fake/till"
)

// item is one thing that a till told.
type item struct {
	source.Draft
	id string
}

// journal is what the tills of one location tell, in order; it is kept at the till, so a new PC can read it again from the beginning.
type journal struct {
	name     string
	location retail.LocationCode
	items    []item
	begin    time.Time
}

// told is how many items exist at now.
func (j *journal) told(now time.Time, all bool) int {
	if all {
		return len(j.items)
	}
	return min(len(j.items), int(int64(len(j.items))*int64(now.Sub(j.begin))/int64(hostile*8/10)))
}

// verdict is what the books must say of one ticket.
type verdict struct {
	total, tax     int64
	void           bool
	rank, revision int64
}

// truth is what the tills know. It is worked out without the product's code.
type truth struct {
	w         *world
	dice      *rand.Rand
	journals  [][]*journal // per device
	clones    []*journal   // per device: what a cloned PC would sell
	trading   map[retail.LocationCode]retail.Trading
	tickets   map[string]verdict
	measures  map[rollup.DayKey]map[string]int64
	dormant   map[rollup.DayKey]map[string]int64 // of journals that nobody reads yet
	active    []*journal
	refused   map[string]bool // keys of records that must be listed
	clashes   map[string]bool // ids that are told with a contradiction
	announced []laneName      // epochs that must begin by naming the old one
	n         int
}

var days = []time.Time{time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)}

func newTruth(w *world) *truth {
	t := &truth{w: w, dice: w.dice("truth"), trading: map[retail.LocationCode]retail.Trading{}, tickets: map[string]verdict{},
		measures: map[rollup.DayKey]map[string]int64{}, dormant: map[rollup.DayKey]map[string]int64{}, refused: map[string]bool{}, clashes: map[string]bool{}}
	for i := range w.plan.devices {
		var js []*journal
		for k := range 1 + t.dice.IntN(2) {
			j := t.journal(fmt.Sprintf("L%d%c", i, 'a'+k), true)
			js = append(js, j)
		}
		t.journals = append(t.journals, js)
		t.clones = append(t.clones, t.journal(fmt.Sprintf("CL%d", i), false))
	}
	return t
}

func (t *truth) sourcesOf(i int) []*journal { return t.journals[i] }

// journal makes a location's days; live ones count from the start, others from when count is called.
func (t *truth) journal(code string, live bool) *journal {
	s := till.Three[t.dice.IntN(len(till.Three))]
	s.Code = code
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		panic(err)
	}
	t.trading[retail.LocationCode(code)] = retail.Trading{Zone: zone, Cutoff: retail.Clock{Hour: s.Cutoff}}
	j := &journal{name: "till-" + code, location: retail.LocationCode(code), begin: t.w.began}
	pos := till.New(s, t.dice.Uint64())
	for _, day := range days {
		events, sums := pos.Day(day, t.w.plan.tickets)
		for _, e := range events {
			j.items = append(j.items, t.item(j, e))
		}
		k := rollup.DayKey{Location: j.location, Day: retail.BusinessDate(sums.Day)}
		t.measures[k] = sums.Measures
	}
	t.salt(j)
	if live {
		t.count(j)
	} else {
		for k := range t.measures {
			if k.Location == j.location {
				t.dormant[k] = t.measures[k]
				delete(t.measures, k)
			}
		}
	}
	return j
}

var kinds = map[string]struct {
	kind   envelope.Kind
	stream envelope.Stream
}{"/v1/tickets": {"ticket.v1", envelope.Sales}, "/v1/drawer": {"drawer.v1", envelope.Sales}, "/v1/read_to": {"read_to.v1", envelope.Sales},
	"/v1/locations": {"location.v1", envelope.State}, "/v1/terminals": {"terminal.v1", envelope.State}}

func (t *truth) item(j *journal, e till.Event) item {
	k := kinds[e.Path]
	return item{source.Draft{Stream: k.stream, Location: j.location, Kind: k.kind, Key: e.ID, ContentType: "application/json", At: e.At, Body: e.Body}, e.ID}
}

// count adds a journal to what the books must say.
func (t *truth) count(j *journal) {
	t.active = append(t.active, j)
	for k, m := range t.dormant {
		if k.Location == j.location {
			t.measures[k] = m
			delete(t.dormant, k)
		}
	}
	for _, it := range j.items {
		if it.Kind != "ticket.v1" || t.refused[it.id] || it.Location != j.location {
			continue
		}
		v, ok := read(it.Body)
		if !ok {
			panic("BUG: the world's own ticket cannot be read: " + string(it.Body))
		}
		have, known := t.tickets[it.id]
		if !known || v.rank > have.rank || v.rank == have.rank && v.revision >= have.revision {
			t.tickets[it.id] = v
		}
	}
}

// read is the world's own reader of a ticket.
func read(body []byte) (v verdict, ok bool) {
	var x struct {
		Kind     string
		Rank     int64
		Revision int64
		Lines    []struct {
			Kind   string
			Amount json.Number
		}
	}
	if json.Unmarshal(body, &x) != nil {
		return v, false
	}
	v = verdict{rank: x.Rank, revision: x.Revision, void: x.Kind == "void"}
	for _, l := range x.Lines {
		if v.void {
			break
		}
		c := cents(string(l.Amount))
		v.total += c
		if l.Kind == "tax" {
			v.tax += c
		}
	}
	return v, true
}

func cents(s string) (c int64) {
	for _, r := range s {
		if r >= '0' && r <= '9' {
			c = c*10 + int64(r-'0')
		}
	}
	if strings.HasPrefix(s, "-") {
		return -c
	}
	return c
}

// once lists places of plain sales that are told exactly one time.
func (t *truth) once(j *journal) (at []int) {
	n := map[string]int{}
	for _, it := range j.items {
		n[it.id]++
	}
	for i, it := range j.items {
		if it.Kind == "ticket.v1" && n[it.id] == 1 && bytes.Contains(it.Body, []byte(`"kind":"sale"`)) {
			at = append(at, i)
		}
	}
	return at
}

// edit changes fields of a ticket's JSON.
func edit(body []byte, change func(m map[string]any)) []byte {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		panic(err)
	}
	change(m)
	out, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return out
}

// insert puts an item after the one at i, somewhere.
func (j *journal) insert(r *rand.Rand, i int, it item) {
	at := i + 1 + r.IntN(len(j.items)-i)
	j.items = append(j.items[:at], append([]item{it}, j.items[at:]...)...)
}
