package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// A till's last ticket is a ticket: what happens at its drawer afterwards tells that it lives and leaves the number alone, in one commit or in two.
func TestLastTicketOfATill(t *testing.T) {
	s := open(t)
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.AddDevice(t.Context(), "d1", "x", "test"); err != nil {
			return err
		}
		return tx.Assign(t.Context(), "d1", "*", now.AddDate(-1, 0, 0), "test")
	})
	if err != nil {
		t.Fatal(err)
	}
	ny := meaning.Reader{Calendar: func(retail.LocationCode) retail.Calendar {
		return retail.Calendar{{Trading: retail.Trading{Zone: time.UTC}}}
	}}
	in := ingest.New("hub1", s, s, ny.Mean, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go in.Run(ctx) //nolint:errcheck // it ends with the test
	l := &line{device: "d1", epoch: envelope.NewEpoch()}
	ticket := func(seq int, at string) envelope.Envelope {
		id := fmt.Sprintf("t%d", seq)
		return l.seal("ticket.v1", id, fmt.Sprintf(`{"id":%q,"number":"1-%05d","sequence":%d,"location":"S1","till":"T1","at":%q,"currency":"USD","lines":[{"kind":"item","amount":1.00}],"tenders":[{"type":"cash","amount":1.00}]}`, id, seq, seq, at))
	}
	drawer := func(id, at string) envelope.Envelope {
		return l.seal("drawer.v1", id, fmt.Sprintf(`{"key":{"system":"tillpost","record":"drawer","id":%q},"location":"S1","till":"T1","at":%q,"kind":"paid_in","currency":"USD","amount":"5.00 USD"}`, id, at))
	}
	want := func(number, seen string) {
		t.Helper()
		ls, err := s.LocationViews(ctx, view.LocationFilter{})
		if err != nil || len(ls) != 1 || len(ls[0].Tills) != 1 {
			t.Fatalf("got %+v %v", ls, err)
		}
		if got := ls[0].Tills[0]; got.Number != number || got.Seen.UTC().Format("15:04") != seen {
			t.Errorf("last ticket %s at %s, want %s at %s", got.Number, got.Seen.UTC().Format("15:04"), number, seen)
		}
	}
	send(t, in, ticket(1, "2026-11-20T10:00:00Z"), ticket(2, "2026-11-20T11:00:00Z"), drawer("d1", "2026-11-20T12:00:00Z"))
	want("1-00002", "12:00")
	send(t, in, ticket(3, "2026-11-20T11:30:00Z"))
	want("1-00003", "12:00")
	send(t, in, drawer("d2", "2026-11-20T13:00:00Z"))
	want("1-00003", "13:00")
}
