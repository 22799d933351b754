package e2e_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/demo/books"
)

// TestHubKilledAtEachStepOfPostingToARealOdoo pulls the plug on the hub just before and just after each step that talks to a real Odoo,
// while its store goes on selling, and counts in that Odoo's own journal items. Set ODOO_URL, ODOO_DB, ODOO_USER and ODOO_KEY.
func TestHubKilledAtEachStepOfPostingToARealOdoo(t *testing.T) {
	real := books.Odoo{URL: os.Getenv("ODOO_URL"), DB: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"), Key: os.Getenv("ODOO_KEY")}
	if real.URL == "" {
		t.Skip("ODOO_URL is not set: no real Odoo to post to")
	}
	t.Parallel()
	own := store
	own.Code = fmt.Sprintf("K%d", time.Now().Unix()) // runs on one server do not meet
	w := newWorldOn(t, build(t), uint64(time.Now().Unix()), false, own, real)
	w.pause, w.patience = 5*time.Second, 5*time.Minute // a real Odoo posts a few dozen documents a second at best
	hub, hits := w.programs["hub"], map[string]int{}
	stop := w.sell(t)
	for _, b := range boundaries() {
		switch b.stage {
		case "outbox", "load", "readback", "post":
		default:
			continue
		}
		w.kill(t, hub)
		w.start(t, hub, b.point+":1")
		if hub.end(2*time.Minute) != pulled {
			t.Errorf("the hub was not killed at %s", b.point)
			w.kill(t, hub)
		}
		hits[b.point]++
		w.start(t, hub, "")
		w.alive(t)
	}
	stop()
	got := w.settled(t)
	t.Logf("%d tickets, killed at %v: lost %d, doubled %d, cents off %d", len(w.told), hits, got.lost, got.doubled, got.off)
	if got.lost+got.doubled != 0 || got.off != 0 {
		t.Error(strings.Join(got.words, "\n"))
	}
}
