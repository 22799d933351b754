package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
)

// Way lists a ticket's whole way: at the till, captured, committed, added to its day, in which document, loaded, posted, read back, and what
// people decided on it. What is still to come is listed without a time.
func (s *Store) Way(ctx context.Context, t view.TicketView) (way []view.WayStop, err error) {
	way = append(way, view.WayStop{At: t.At, Stage: "till", Text: fmt.Sprintf("ticket %s of till %s, key %s", t.Number, t.Till, t.Key)})
	documents := map[string]bool{}
	for _, h := range t.History {
		stops, err := s.versionWay(ctx, t, h, documents)
		if err != nil {
			return nil, err
		}
		way = append(way, stops...)
	}
	subjects := []string{"ticket " + t.Key, "day " + rollup.DayKey{Location: t.Location, Day: t.Day}.String()}
	for _, h := range t.History {
		for _, c := range []string{"refused", "unbalanced"} {
			subjects = append(subjects, fmt.Sprintf("case %s:record %d", c, h.Envelope))
		}
	}
	subjects = append(subjects, "case conflict:"+t.Key)
	came := time.Time{}
	if len(t.History) > 0 {
		came = t.History[0].Received
	}
	for _, subject := range subjects {
		steps, err := s.steps(ctx, subject, "")
		if err != nil {
			return nil, err
		}
		for _, st := range steps {
			if st.At.Before(came) { // what was done to the day before the ticket was here
				continue
			}
			stage := st.Who
			if stage == "hub" {
				stage, _, _ = strings.Cut(subject, " ")
			}
			way = append(way, view.WayStop{At: st.At, Stage: stage, Text: join(st.Subject, st.What, st.Reason)})
		}
	}
	slices.SortStableFunc(way, func(a, b view.WayStop) int {
		if a.At.IsZero() || b.At.IsZero() {
			return flag(a.At.IsZero()) - flag(b.At.IsZero()) // what is to come stands last
		}
		return a.At.Compare(b.At)
	})
	return way, nil
}

func join(words ...string) string { return strings.Join(strings.Fields(strings.Join(words, " ")), " ") }

// versionWay is the way of one version, up to its document.
func (s *Store) versionWay(ctx context.Context, t view.TicketView, h view.VersionView, documents map[string]bool) (way []view.WayStop, err error) {
	raw, err := s.Raw(ctx, h.Envelope)
	if err != nil {
		return nil, err
	}
	way = []view.WayStop{
		{At: raw.Captured, Stage: "capture", Text: fmt.Sprintf("by device %s, stream %s, position %s, checksum %.16s", raw.Device, raw.Stream, raw.Position, raw.Sum)},
		{At: raw.Received, Stage: "ingest", Text: fmt.Sprintf("committed as record %d, entry %d: %s", h.Envelope, h.Entry, h.Outcome)},
	}
	if h.Outcome != string(ledger.First) && h.Outcome != string(ledger.Replaces) {
		return way, nil // it is kept and posts nothing
	}
	var k rollup.DayKey
	var at int64
	if err := s.read.QueryRowContext(ctx, `SELECT location, day, COALESCE((SELECT min(f.at) FROM folded f WHERE f.entry >= e.id), 0) FROM entry e WHERE e.id = ?`, h.Entry).
		Scan((*string)(&k.Location), (*string)(&k.Day), &at); err != nil {
		return nil, classify("read entry", err)
	}
	fold := view.WayStop{Stage: "fold", Text: fmt.Sprintf("entry %d is added to store-day %s", h.Entry, k)}
	if at > 0 {
		fold.At = time.Unix(at, 0).UTC()
		if fold.At.Before(raw.Received) { // kept to the second
			fold.At = raw.Received
		}
	} else {
		fold.Text = fmt.Sprintf("entry %d waits to be added to store-day %s", h.Entry, k)
	}
	way = append(way, fold)
	entries, err := s.documentEntries(ctx, k)
	if err != nil {
		return nil, err
	}
	n := documentOf(entries, h.Entry)
	if n < 0 {
		return append(way, view.WayStop{Stage: "document", Text: "in none yet: " + s.why(ctx, k)}), nil
	}
	id := rollup.Document{Key: k, Number: n + 1}.ID()
	if documents[id] {
		return way, nil
	}
	documents[id] = true
	stops, err := s.documentWay(ctx, id)
	return append(way, stops...), err
}

// why says what a day waits for.
func (s *Store) why(ctx context.Context, k rollup.DayKey) string {
	var state, why string
	err := s.read.QueryRowContext(ctx, `SELECT state, why FROM day WHERE location = ? AND day = ?`, string(k.Location), string(k.Day)).Scan(&state, &why)
	if errors.Is(err, sql.ErrNoRows) || err != nil {
		return "its store-day is not there yet"
	}
	return join("its store-day is", state, why)
}

// documentWay is a document's way into the books, by its steps and by what was read back.
func (s *Store) documentWay(ctx context.Context, id string) (way []view.WayStop, err error) {
	steps, err := s.steps(ctx, "document "+id, "")
	if err != nil {
		return nil, err
	}
	for _, st := range steps {
		stage, text := "document", join(id, st.What, st.Reason)
		switch {
		case st.What == "loaded into Odoo":
			stage, text = "load", join(id, st.What, "as", st.After)
		case st.What == "is verified":
			way = append(way, view.WayStop{At: st.At, Stage: "post", Text: join(id, "is posted as", st.After)})
			continue
		case st.Who != "hub":
			stage = st.Who
		}
		way = append(way, view.WayStop{At: st.At, Stage: stage, Text: text})
	}
	var checked int64
	var read, currency string
	err = s.read.QueryRowContext(ctx, `SELECT checked, readback, body FROM document WHERE id = ?`, id).Scan(&checked, &read, &currency)
	if err != nil || read == "" {
		return way, classify("read document", err)
	}
	var r odoo.Reading
	var d rollup.Document
	if err := errors.Join(json.Unmarshal([]byte(read), &r), json.Unmarshal([]byte(currency), &d)); err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%s: entry %s of %s, difference %s", id, r.Name, r.Date, money.Of(r.Difference, d.Currency))
	return append(way, view.WayStop{At: fromMicros(checked), Stage: "read-back", Text: text}), nil
}
