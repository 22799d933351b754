package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// ways are how one ticket of Heartland Retail can come: from the API, once more from it because a webhook told, pushed by a till, and in the
// vendor's export, which knows neither its id nor how it was paid.
func ways(id int, number string) map[string]func(l *line) envelope.Envelope {
	record := fmt.Sprintf(`{"id":%d,"public_id":%q,"type":"Ticket","status":"complete","voided?":false,"source_location_id":5,"station_id":1,"total":10.8,"total_tax":0.8,"completed_at":"2026-11-20T18:00:00+00:00",
		"local_completed_at":"2026-11-20T12:00:00","updated_at":"2026-11-20T18:00:01+00:00","lines":[{"type":"ItemLine","item_id":7,"qty":1,"value":10.0},{"type":"TaxLine","description":"Tax","value":0.8}],
		"payments":[{"id":1,"payment_type_id":1,"amount":10.8,"status":"complete"}]}`, id, number)
	frame, err := hretail.Frame{Tenant: "acme", Location: "S1", Currency: "USD", Tenders: map[string]string{"1": "Cash"}, Record: json.RawMessage(record)}.Encode()
	if err != nil {
		panic(err)
	}
	push := fmt.Sprintf(`{"tenant":"acme","system":"heartland-retail","id":"%d","number":%q,"location":"S1","at":"2026-11-20T18:00:00Z","business_day":"2026-11-20","currency":"USD","lines":[{"kind":"item","category":"x","amount":10.80}],"tenders":[{"type":"cash","amount":10.80}]}`, id, number)
	rows, err := json.Marshal(profile.Rows{Profile: "heartland-retail-sales-history", File: "h.csv", Header: []string{"Ticket #", "Customer #", "Completed At", "Sales Rep", "Location #", "Tax Total", "Item #", "Item Adjusted Unit Price", "Item Qty"},
		Rows: []profile.Row{{N: 2, Cells: []string{number, "", "2026-11-20T18:00:00Z", "Anna", "S1", "0.80", "60240", "10.00", "1"}}}})
	if err != nil {
		panic(err)
	}
	api := func(l *line) envelope.Envelope { return l.seal(hretail.Ticket, fmt.Sprint(id), string(frame)) }
	return map[string]func(l *line) envelope.Envelope{"api": api, "webhook": api,
		"push": func(l *line) envelope.Envelope { return l.seal(decode.Ticket, fmt.Sprint(id), push) },
		"file": func(l *line) envelope.Envelope { return l.seal(decode.Rows, number, string(rows)) }}
}

// take commits envelopes one by one, as ingest does.
func take(t *testing.T, s *store.Store, es []envelope.Envelope) {
	t.Helper()
	r := meaning.Reader{Calendar: func(retail.LocationCode) retail.Calendar {
		return retail.Calendar{{Trading: retail.Trading{Zone: time.UTC}}}
	}}
	for i := range es {
		m := r.Mean(&es[i])
		if m.Refused != nil {
			t.Fatal(m.Refused)
		}
		from, err := s.Head(t.Context(), es[i].Device, es[i].Stream, es[i].Pos.Epoch)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), []ingest.Advance{{From: from, Envs: []ingest.Accepted{{Env: &es[i], Meaning: m}}}}); err != nil {
			t.Fatal(err)
		}
	}
}

// booked is how many tickets there are, and what the versions in force come to.
func booked(t *testing.T, dir string) (n int, cents int64) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "hub.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(context.WithoutCancel(t.Context()), `SELECT count(*), COALESCE(sum(e.gross + e.tax), 0) FROM ticket t JOIN entry e ON e.id = t.entry`).Scan(&n, &cents); err != nil {
		t.Fatal(err)
	}
	return n, cents
}

// A ticket that is seen by file, webhook, API and push is booked once, in whatever order they come, and stands as the best source told it.
func TestOneTicketFromFourSources(t *testing.T) {
	for n, order := range [][]string{{"file", "api", "webhook", "push"}, {"api", "file", "push", "webhook"}, {"push", "file", "api", "file"}, {"file", "push", "api", "file", "webhook"}, {"api", "webhook", "push", "file"}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			dir := t.TempDir()
			s, err := store.Open(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			l := &line{device: "d1", epoch: envelope.NewEpoch()}
			w := ways(117041+n, "100123")
			var es []envelope.Envelope
			for _, name := range order {
				es = append(es, w[name](l))
			}
			take(t, s, es)
			if tickets, cents := booked(t, dir); tickets != 1 || cents != 1080 {
				t.Errorf("%d tickets with %d cents, want one with 1080", tickets, cents)
			}
		})
	}
}

// A number that was given to a second ticket by hand makes no version of the first.
func TestANumberThatIsUsedTwice(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l := &line{device: "d1", epoch: envelope.NewEpoch()}
	take(t, s, []envelope.Envelope{ways(1, "77")["file"](l), ways(1, "77")["api"](l), ways(2, "77")["api"](l), ways(2, "77")["api"](l)})
	if tickets, cents := booked(t, dir); tickets != 2 || cents != 2160 {
		t.Errorf("%d tickets with %d cents, want two with 2160", tickets, cents)
	}
}
