package e2e_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/demo/books"
)

// TestHubKilledAtEachStepOfPostingToARealOdoo pulls the plug on the hub before and after each step that talks to a real Odoo, while its
// store goes on selling, and counts in that Odoo's own journal items. Set ODOO_URL, ODOO_DB, ODOO_USER and ODOO_KEY.
func TestHubKilledAtEachStepOfPostingToARealOdoo(t *testing.T) {
	real := books.Odoo{URL: os.Getenv("ODOO_URL"), DB: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"), Key: os.Getenv("ODOO_KEY")}
	if real.URL == "" {
		t.Skip("ODOO_URL is not set: no real Odoo to post to")
	}
	w := newWorld(t, 2, fmt.Sprintf("K%d", time.Now().Unix()), real)
	w.endWith(t)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { w.sell(ctx) })
	hits := map[string]int{}
	for _, step := range []string{"load", "readback", "post", "outbox"} {
		for _, when := range []string{".before", ".after"} {
			w.hub.kill()
			restart(t, w.hub, step+when+":1")
			if w.hub.died(time.Minute) {
				hits[step+when]++
			} else {
				w.hub.kill()
				t.Errorf("the hub never came to %s%s", step, when)
			}
		}
	}
	restart(t, w.hub, "")
	stop()
	wg.Wait()
	w.settled(t)
	lost, doubled, off := w.count(t)
	t.Logf("%d tickets; hits per boundary: %v; lost %d, doubled %d, cents off %d", len(w.truth), sortedHits(hits), lost, doubled, off)
	if lost+doubled != 0 || off != 0 {
		t.Errorf("lost %d, doubled %d, cents off %d", lost, doubled, off)
	}
}
