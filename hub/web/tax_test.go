package web_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// The day's page says what is taxed, and which taxes have no base because the tills do not say it.
func TestTheDaysPageSaysWhatIsTaxed(t *testing.T) {
	w := newSite(t)
	reader := meaning.Reader{Calendar: func(l retail.LocationCode) retail.Calendar {
		c, err := w.Calendar(t.Context(), l)
		if err != nil {
			t.Error(err)
		}
		return c
	}}
	for i, taxes := range []string{`,"taxes":["NY <b>"]`, ""} {
		body := `{"id":"T` + string(rune('0'+i)) + `","number":"T","location":"S1","till":"T1","at":"2026-11-20T10:00:00Z","kind":"sale","currency":"USD","lines":[{"kind":"item","category":"Toys","amount":"10.00"` + taxes +
			`},{"kind":"tax","code":"NY <b>","amount":"0.77"}],"tenders":[{"type":"cash","amount":"10.77"}]}`
		e := envelope.Envelope{Device: "d", Stream: envelope.Sales, Pos: envelope.Position{Epoch: envelope.NewEpoch(), Seq: 1}, Location: "S1", Kind: decode.Ticket, Key: "T" + string(rune('0'+i)),
			ContentType: "application/json", At: time.Date(2026, 11, 20, 10, 0, 1, 0, time.UTC), Part: 1, Parts: 1, Body: []byte(body)}.Seal(envelope.Sum{})
		if err := w.Commit(t.Context(), []ingest.Advance{{Envs: []ingest.Accepted{{Env: &e, Meaning: reader.Mean(&e)}}}}); err != nil {
			t.Fatal(err)
		}
	}
	r := roll.Roller{Store: w.Store, Log: slog.New(slog.DiscardHandler)}
	for worked := true; worked; {
		var err error
		if worked, _, err = r.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.signIn(t, "ann", "correct horse 9")
	code, page := w.get(t, "/day?location=S1&date=2026-11-20")
	if code != http.StatusOK || !strings.Contains(page, "What is taxed is not known of 0.77 NY &lt;b&gt;:") || !strings.Contains(page, "NY &lt;b&gt;") || strings.Contains(page, "NY <b>") {
		t.Errorf("the page gave %d %s", code, page)
	}
	if !strings.Contains(page, "Toys ⊕NY &lt;b&gt;") && !strings.Contains(page, "(taxed NY &lt;b&gt;)") {
		t.Errorf("the page does not say what is taxed: %s", page)
	}
}
