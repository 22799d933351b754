package portico

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/fault"
)

const (
	overlap   = 15 * time.Minute // a payment appears under the time at which it began; an authorization takes a minute at most, a stored one longer
	ahead     = 5 * time.Minute  // windows end after now: no clock is exact
	giveUp    = 35 * 24 * time.Hour
	seenMost  = 20_000 // open payments of one site; the oldest beyond are found again when their batch closes
	lookMost  = 500
	saveEvery = 10 * time.Minute // a position that moved without news is worth a write
)

// progress is how far the gateway has been read, as the cursor keeps it.
type progress struct {
	Site    string               `json:"site,omitempty"`
	Asked   time.Time            `json:"asked,omitzero"`    // of the last record; it never goes back
	Through time.Time            `json:"through,omitzero"`  // activity is read up to here
	Old     time.Time            `json:"old,omitzero"`      // and of the past from OldEnd on up to here
	OldEnd  time.Time            `json:"old_end,omitzero"`  // zero Old with zero OldEnd: the past is done
	Listed  time.Time            `json:"listed,omitzero"`   // batches that were opened up to here are known
	Marked  time.Time            `json:"marked,omitzero"`   // last word on how far payments are read
	Seen    map[string]seen      `json:"seen,omitempty"`    // payments that may still change, and those of the overlap
	Look    []string             `json:"look,omitempty"`    // payments that a void or an edit has changed
	Batches map[string]batchSeen `json:"batches,omitempty"` // open ones, and those whose payments are not read yet

	saved time.Time // Through when the cursor was written last
}

// seen is what was told of a payment last.
type seen struct {
	Mark  string `json:"m"`           // state and amount
	At    int64  `json:"t"`           // Unix seconds of the payment
	Final bool   `json:"f,omitempty"` // it changes no more
}

// batchSeen is what was told of a batch last.
type batchSeen struct {
	Mark   string `json:"m"`
	Opened int64  `json:"o"`
	Closed bool   `json:"c,omitempty"` // its payments can be read for good
	Done   bool   `json:"d,omitempty"` // and were
	Tries  int    `json:"n,omitempty"`
}

// item is one draft with what its delivery changes.
type item struct {
	draft source.Draft
	id    string // of the payment, "" = a batch or a mark
	seen  seen
	batch string
	state batchSeen
	look  string // the payment that it changed
}

func readProgress(c source.Cursor) (*progress, error) {
	p := &progress{}
	if c != "" {
		if err := json.Unmarshal([]byte(c), p); err != nil {
			return nil, fault.New(fault.Internal, "read cursor", err)
		}
	}
	if p.Seen == nil {
		p.Seen = map[string]seen{}
	}
	if p.Batches == nil {
		p.Batches = map[string]batchSeen{}
	}
	p.saved = p.Through
	return p, nil
}

func (p *progress) cursor() (source.Cursor, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return "", fault.New(fault.Internal, "write cursor", err)
	}
	p.saved = p.Through
	return source.Cursor(b), nil
}

// worth reports that the position moved far enough to be written without news.
func (p *progress) worth() bool { return p.Through.Sub(p.saved) > saveEvery }

// note is what the delivery of an item changes.
func (p *progress) note(it item) {
	p.Asked = maxTime(p.Asked, it.draft.At)
	if it.id != "" {
		p.Seen[it.id] = it.seen
	}
	if it.batch != "" {
		p.Batches[it.batch] = it.state
	}
	if it.look != "" && !slices.Contains(p.Look, it.look) && len(p.Look) < lookMost {
		p.Look = append(p.Look, it.look)
	}
}

// forget drops what cannot come again: final payments before the overlap, batches that are done and out of the list's reach.
func (p *progress) forget() {
	edge := p.Through.Add(-overlap - time.Hour).Unix()
	for id, s := range p.Seen {
		if s.Final && s.At < edge {
			delete(p.Seen, id)
		}
	}
	if len(p.Seen) > seenMost {
		ids := make([]string, 0, len(p.Seen))
		for id := range p.Seen {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(p.Seen[a].At, p.Seen[b].At), cmp.Compare(a, b)) })
		for _, id := range ids[:len(ids)-seenMost] {
			delete(p.Seen, id)
		}
	}
	from := p.batchesFrom().Unix()
	for id, b := range p.Batches {
		if b.Done && b.Opened < from {
			delete(p.Batches, id)
		}
	}
}

// batchesFrom is where the list of batches must begin so that every one that may still change is on it.
func (p *progress) batchesFrom() time.Time {
	from := p.Listed
	for _, b := range p.Batches {
		if !b.Done && time.Unix(b.Opened, 0).Before(from) {
			from = time.Unix(b.Opened, 0)
		}
	}
	return from.Add(-time.Hour)
}

// open lists the days, by UTC, of payments that may still change and are out of the overlap's reach; old are those that the gateway must
// have given up long ago.
func (p *progress) open(now time.Time) (days []time.Time, old []string) {
	for id, s := range p.Seen {
		at := time.Unix(s.At, 0).UTC()
		switch {
		case s.Final || at.After(p.Through.Add(-overlap)):
		case at.Before(now.Add(-giveUp)):
			old = append(old, id)
		default:
			if d := at.Truncate(24 * time.Hour); !slices.Contains(days, d) {
				days = append(days, d)
			}
		}
	}
	slices.SortFunc(days, time.Time.Compare)
	slices.Sort(old)
	return days, old
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (p *progress) String() string {
	return fmt.Sprintf("through %s, %d payments may change, %d batches", p.Through.Format(time.RFC3339), len(p.Seen), len(p.Batches))
}
