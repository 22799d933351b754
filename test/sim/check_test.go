package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
)

// check compares what has come to rest with the truth.
func (w *world) check() {
	w.checkHeads()
	w.checkTickets()
	w.checkCases()
	w.checkAnnounced()
	w.checkChain()
	w.books.learn(w)
	w.books.step(w)
	w.checkBooks()
	w.cover()
}

// checkHeads: agent and hub agree on every stream, to the checksum. A clone may have gone on in an epoch that its original left alone.
func (w *world) checkHeads() {
	ends := map[laneName]uint64{}
	for _, p := range w.pcs {
		for _, s := range envelope.Streams {
			st := p.buf.State(s)
			l := laneName{p.device, s, st.Epoch}
			ends[l] = max(ends[l], st.Last)
		}
	}
	for _, p := range w.pcs {
		for _, s := range envelope.Streams {
			st := p.buf.State(s)
			h, err := w.hub.store.Head(w.ctx, p.device, s, st.Epoch)
			if err != nil || h.Seq != ends[laneName{p.device, s, st.Epoch}] {
				w.breaks("%s/%s ends at %d, the hub at %d (%v)", p.name, s, st.Last, h.Seq, err)
			}
			if st.Last == 0 {
				continue
			}
			if sum, ok, err := w.hub.store.SumAt(w.ctx, h, st.Last); err != nil || !ok || sum != st.Sum {
				w.breaks("%s/%s: the hub holds another record at %d (%v)", p.name, s, st.Last, err)
			}
		}
	}
}

// checkChain: the hub's record is whole from the first envelope of every epoch to its head, erased customers or not.
func (w *world) checkChain() {
	r, err := w.hub.store.VerifyChain(w.ctx)
	if err != nil || len(r.Bad) > 0 {
		w.breaks("the chain is broken: %v %v", r.Bad, err)
	}
	w.marks["envelopes"] += r.Envelopes
	w.marks["envelopes erased"] += r.Erased
}

// checkTickets: every ticket told is in the ledger once, with its cents, and nothing else is.
func (w *world) checkTickets() {
	db := open(w.hub.dir)
	defer db.Close()
	rows, err := db.Query(`SELECT t.key, e.gross, e.tax, e.void, e.lines FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.kind = 'ticket'`)
	if err != nil {
		w.breaks("read tickets: %v", err)
		return
	}
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var key string
		var gross, tax, lines int64
		var void bool
		if err := rows.Scan(&key, &gross, &tax, &void, &lines); err != nil {
			w.breaks("read ticket: %v", err)
			return
		}
		id := key[strings.LastIndex(key, "|")+1:]
		v, told := w.truth.tickets[id]
		switch {
		case !told:
			w.breaks("ticket %s is booked and was never told", id)
		case v.void != void || v.total != gross+tax || v.tax != tax:
			w.breaks("ticket %s: booked %d with tax %d void %v, the till says %d with tax %d void %v", id, gross+tax, tax, void, v.total, v.tax, v.void)
		}
		found[id] = true
	}
	for _, id := range slices.Sorted(maps.Keys(w.truth.tickets)) {
		if !found[id] {
			w.breaks("ticket %s was told and is not booked", id)
		}
	}
	w.marks["tickets"] = len(found)
}

// checkCases: what cannot be booked is listed, each record of it, and nothing else is.
func (w *world) checkCases() {
	list, err := w.hub.store.Cases(w.ctx, true)
	if err != nil {
		w.breaks("read cases: %v", err)
		return
	}
	db := open(w.hub.dir)
	defer db.Close()
	refused, clashes, restored := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range list {
		switch c.Cause {
		case cases.Refused, cases.Unbalanced:
			var key string
			if err := db.QueryRow(`SELECT key FROM envelope WHERE id = ?`, c.Envelope).Scan(&key); err != nil {
				w.breaks("case %s has no record: %v", c.ID, err)
			}
			refused[key] = true
		case cases.Conflict:
			clashes[c.Subject[strings.LastIndex(c.Subject, "|")+1:]] = true
		case cases.HubRestored:
			restored[c.Subject] = true
		}
	}
	wantRefused, wantClashes := map[string]bool{}, map[string]bool{}
	for _, j := range w.truth.active {
		for _, it := range j.items {
			if w.truth.refused[it.id] {
				wantRefused[it.id] = true
			}
			if w.truth.clashes[it.id] {
				wantClashes[it.id] = true
			}
		}
	}
	w.same("refused records", refused, wantRefused)
	w.same("contradictions", clashes, wantClashes)
	for lane := range w.hub.owed {
		if !restored[lane] {
			w.breaks("the hub was put back behind what it had promised %s, and no case says so", lane)
		}
	}
}

func (w *world) same(what string, got, want map[string]bool) {
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if !got[k] {
			w.breaks("%s: %s is not listed", what, k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if !want[k] {
			w.breaks("%s: %s is listed and should not be", what, k)
		}
	}
}

// checkAnnounced: an epoch that follows a damaged file names the old one, and rows that only that PC had are a case.
func (w *world) checkAnnounced() {
	db := open(w.hub.dir)
	defer db.Close()
	for _, l := range w.truth.announced {
		var kind string
		err := db.QueryRow(`SELECT e.kind FROM envelope e JOIN lane l ON l.id = e.lane WHERE l.device = ? AND l.stream = ? AND l.epoch = ? AND e.seq = 1`,
			string(l.device), string(l.stream), l.epoch[:]).Scan(&kind)
		if err == nil && kind != "epoch_end.v1" {
			w.breaks("epoch %s of %s/%s follows a damaged file and begins with %s", short(l.epoch), l.device, l.stream, kind)
		}
	}
	rows, err := db.Query(`SELECT e.id, l.device, l.stream FROM envelope e JOIN lane l ON l.id = e.lane WHERE e.kind = 'epoch_end.v1'`)
	if err != nil {
		w.breaks("read epochs: %v", err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var device, stream, state string
		if err := rows.Scan(&id, &device, &stream); err != nil {
			w.breaks("read epochs: %v", err)
			return
		}
		body, err := w.hub.store.Body(w.ctx, id)
		var end envelope.End
		if err == nil {
			err = json.Unmarshal(body, &end)
		}
		if err != nil {
			w.breaks("the end of an epoch cannot be read: %v", err)
		}
		if end.Lost > 0 && db.QueryRow(`SELECT state FROM kase WHERE id = ?`, cases.ID(cases.Lost, fmt.Sprintf("%s/%s/%s", device, stream, end.Epoch))).Scan(&state) != nil {
			w.breaks("%s/%s lost %d records, and no case says so", device, stream, end.Lost)
		}
		w.marks["epochs"]++
	}
}

// checkBooks: per store-day the ledger, the documents and the tills' own sums are the same to the cent.
func (w *world) checkBooks() {
	days, totals := map[rollup.DayKey]bool{}, w.hub.totals()
	for k := range w.truth.measures {
		days[k] = true
	}
	for k := range totals {
		days[k] = true
	}
	for k := range w.books.days {
		days[k] = true
	}
	for k := range days {
		want := w.truth.measures[k]
		w.sums(k.String()+": ledger", measures(totals[k]), want)
		w.sums(k.String()+": documents", measures(w.books.posted(k)), want)
	}
	w.marks["store-days"] = len(days)
}

func (w *world) sums(what string, got, want map[string]int64) {
	all := map[string]bool{}
	for k := range got {
		all[k] = true
	}
	for k := range want {
		all[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if got[k] != want[k] {
			w.breaks("%s: %s is %d cents, the tills say %d", what, k, got[k], want[k])
		}
	}
}
