package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/fleet"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// fleets orders rollouts as the hub does.
type fleets struct{ *store.Store }

func (f fleets) Order(ctx context.Context, id, order, who, why string) error {
	return f.InTx(ctx, func(tx *store.Tx) error { return tx.OrderRollout(ctx, id, fleet.Order(order), who, why) })
}

// IT sees how a release goes and stops it with a reason; who sees one store alone sees nothing of the fleet.
func TestTheFleetIsShownAndOrdered(t *testing.T) {
	w := newSite(t)
	var id string
	err := w.InTx(t.Context(), func(tx *store.Tx) (err error) {
		if err := tx.AddDevice(t.Context(), "pc-1", "x", "test"); err != nil {
			return err
		}
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO certificate (serial, device, key, der, begins, ends) VALUES ('1', 'pc-1', x'01', x'', 0, 0)`); err != nil {
			return err
		}
		id, err = tx.StartRollout(t.Context(), fleet.Rollout{Version: "1.5.0", Previous: "1.4.0", Rings: fleet.Usual()}, "ida")
		return err
	})
	if err == nil {
		err = w.Births(t.Context(), map[retail.DeviceID]envelope.Birth{"pc-1": {Online: true, Version: "1.4.0", Platform: "windows/amd64"}})
	}
	for range 3 { // the empty ring of test stores, then the canaries
		if err == nil {
			_, err = w.LookAtFleet(t.Context())
		}
	}
	if err == nil {
		err = w.InTx(t.Context(), func(tx *store.Tx) error {
			return tx.TellRelease(t.Context(), "pc-1", "1.5.0", fleet.Back, "<b>it did not start", tx.Now)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.signIn(t, "store", "correct horse 9")
	if code, _ := w.get(t, "/fleet"); code != http.StatusForbidden {
		t.Errorf("a store's user gets %d", code)
	}
	w.signIn(t, "ann", "correct horse 9")
	if code, body := w.get(t, "/fleet"); code != http.StatusOK || strings.Contains(body, `name="order"`) {
		t.Errorf("finance gets %d, with orders: %v", code, strings.Contains(body, `name="order"`))
	}
	w.signIn(t, "ida", "correct horse 9")
	code, body := w.get(t, "/fleet")
	for _, want := range []string{"on its way", "canary", "&lt;b&gt;it did not start", `href="/fleet/device?id=pc-1"`, `value="pause"`} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("the page (%d) lacks %q: %s", code, want, body)
		}
	}
	if code, body := w.get(t, "/fleet/device?id=pc-1"); code != http.StatusOK || !strings.Contains(body, "went back") || !strings.Contains(body, "told") {
		t.Errorf("the device's page: %d %s", code, body)
	}
	if code, body := w.get(t, "/fleet.csv"); code != http.StatusOK || !strings.Contains(body, "pc-1,,windows/amd64") {
		t.Errorf("the table: %d %s", code, body)
	}
	form := url.Values{"csrf": {w.csrf(t)}, "rollout": {id}, "order": {"pause"}}
	if code, _ := w.post(t, "/fleet/order", form); code != http.StatusBadRequest {
		t.Errorf("without a reason: %d", code)
	}
	form.Set("reason", "a till firm's holiday")
	if code, body := w.post(t, "/fleet/order", form); code != http.StatusOK || !strings.Contains(body, "paused") || !strings.Contains(body, "A till firm") {
		t.Errorf("with one: %d %s", code, body)
	}
	if code, _ := w.post(t, "/fleet/order", form); code != http.StatusConflict {
		t.Errorf("paused twice: %d", code)
	}
}
