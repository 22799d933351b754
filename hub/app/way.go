package app

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
)

// log lists a ticket's whole way, stage by stage, with what each stage keeps of it.
func (c *cli) log(ctx context.Context, s *desk, args []string) error {
	t, err := s.find(ctx, args[0])
	if err != nil {
		return err
	}
	way, err := s.Way(ctx, t)
	if err != nil {
		return err
	}
	out := struct {
		Ticket   int64          `json:"ticket"`
		Number   string         `json:"number"`
		Key      string         `json:"key"`
		Location string         `json:"location"`
		Day      string         `json:"day"`
		Way      []view.WayStop `json:"way"`
	}{t.ID, t.Number, t.Key, string(t.Location), string(t.Day), way}
	return c.tell(out, func(w io.Writer) {
		fmt.Fprintf(w, "Ticket %s, key %s, till %s at %s, store-day %s, %s\n", t.Number, t.Key, t.Till, t.Location, t.Day, t.Total)
		tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, p := range way {
			at := "                    –"
			if !p.At.IsZero() {
				at = p.At.UTC().Format("2006-01-02T15:04:05.000Z")
			}
			fmt.Fprintf(tab, "%s\t%s\t%s\n", at, p.Stage, p.Text)
		}
		tab.Flush()
	})
}

// told logs a step of the audit trail once it is committed, under names that a search finds. What stood there before and after, and what a
// person wrote, stays in the database: it may name a customer.
func (a *App) told(ctx context.Context, s store.Step) {
	kind, rest, _ := strings.Cut(s.Subject, " ")
	words := []any{"who", s.Who, kind, rest}
	switch kind {
	case "document":
		if l, d, ok := documentDay(rest); ok {
			words = append(words, "location", l, "day", d)
		}
	case "day":
		if l, d, ok := cutLast(rest, " "); ok {
			words = []any{"who", s.Who, "location", l, "day", d}
		}
	}
	if s.Who == "hub" && s.Reason != "" {
		words = append(words, "why", s.Reason)
	}
	a.log.InfoContext(ctx, s.What, words...)
}

// documentDay takes "S1/2026-11-20/1" apart; a location's code may hold slashes itself.
func documentDay(id string) (location, day string, ok bool) {
	key, _, ok := cutLast(id, "/")
	if !ok {
		return "", "", false
	}
	return cutLast(key, "/")
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
