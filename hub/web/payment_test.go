package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// charge commits a ticket that was paid by card, its payment, one payment of nobody, and a batch.
func (w *site) charge(t *testing.T) {
	t.Helper()
	reader := meaning.Reader{Calendar: func(retail.LocationCode) retail.Calendar {
		return retail.Calendar{{Trading: retail.Trading{Zone: time.UTC}}}
	}}
	at := time.Date(2026, 11, 20, 11, 0, 0, 0, time.UTC)
	epoch, prev := envelope.NewEpoch(), envelope.Sum{}
	var accepted []ingest.Accepted
	for i, r := range []struct {
		kind envelope.Kind
		body string
	}{
		{decode.Ticket, `{"id":"2","number":"A-2","location":"S1","till":"T1","at":"2026-11-20T10:30:00Z","kind":"sale","currency":"USD","lines":[{"kind":"item","category":"Toys","amount":"20.00"}],"tenders":[{"type":"visa","amount":"20.00","last4":"1111","ref":"5001"}]}`},
		{decode.Payment, `{"key":{"system":"p","record":"payment","id":"5001"},"location":"S1","at":"2026-11-20T10:30:10Z","state":"closed","amount":"23.00 USD","tip":"3.00 USD","brand":"` + evilInJSON + `","last4":"1111","batch":"990041","revision":1}`},
		{decode.Payment, `{"key":{"system":"p","record":"payment","id":"5002"},"location":"S1","at":"2026-11-20T10:40:10Z","state":"open","amount":"99.00 USD","revision":1}`},
		{decode.Batch, `{"key":{"system":"p","record":"batch","id":"990041"},"location":"S1","state":"closed","opened":"2026-11-20T08:00:00Z","closed":"2026-11-20T22:00:00Z","count":1,"total":"23.00 USD","revision":1}`},
		{decode.ReadTo, `{"source":"portico","of":"payments","location":"S1","through":"2026-11-25T00:00:00Z"}`},
	} {
		e := envelope.Envelope{Device: "gw", Stream: envelope.Sales, Pos: envelope.Position{Epoch: epoch, Seq: uint64(i + 1)}, Location: "S1", Kind: r.kind, ContentType: "application/json", At: at, Part: 1, Parts: 1, Body: []byte(r.body)}.Seal(prev)
		prev = e.Sum
		m := reader.Mean(&e)
		if m.Refused != nil {
			t.Fatal(m.Refused)
		}
		accepted = append(accepted, ingest.Accepted{Env: &e, Meaning: m})
	}
	if err := w.Commit(t.Context(), []ingest.Advance{{Envs: accepted}}); err != nil {
		t.Fatal(err)
	}
	if n, err := w.MatchPayments(t.Context(), 10); err != nil || n == 0 {
		t.Fatalf("%d days matched, %v", n, err)
	}
}

const evilInJSON = `<script>alert(\"x\")</script>`

func TestPaymentPages(t *testing.T) {
	w := newSite(t)
	w.charge(t)
	w.signIn(t, "ann", "correct horse 9")
	_, page := w.get(t, "/payments")
	for _, want := range []string{"5001", "A-2", "certain: till and gateway share a number", "closed: sent for settlement", "23.00", "3.00", "5002", "none", "990041", "0.00"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if strings.Contains(page, evil) {
		t.Error("a script of a record runs")
	}
	if _, un := w.get(t, "/payments?unmatched=1"); strings.Contains(un, "5001") || !strings.Contains(un, "5002") {
		t.Error("the list of payments without a ticket is another")
	}
	if _, csv := w.get(t, "/payments.csv"); strings.Count(csv, "\n") != 3 || !strings.Contains(csv, "certain") {
		t.Errorf("got %s", csv)
	}
	if _, ticket := w.get(t, "/find?q=A-2"); !strings.Contains(ticket, "Its payments at the gateway") || !strings.Contains(ticket, "5001") || !strings.Contains(ticket, "certain") {
		t.Error("the ticket does not show its payment")
	}
}

func TestAStoreSeesNoPaymentsOfAnother(t *testing.T) {
	w := newSite(t)
	w.charge(t)
	w.signIn(t, "store", "correct horse 9") // of S2
	for _, path := range []string{"/payments", "/payments?location=S1", "/payments.csv"} {
		if _, page := w.get(t, path); strings.Contains(page, "5001") || strings.Contains(page, "990041") || strings.Contains(page, "A-2") {
			t.Errorf("%s shows another store's payments", path)
		}
	}
}
