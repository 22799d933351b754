package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/demo/books"
)

// TestKillsWhileDaysGoAsReceipts pulls the plug just before and just after each step that talks to Odoo, and at Odoo's own commits, while days go as
// receipts, and while they go ticket by ticket: nothing is lost, doubled, off by a cent, or left unpaid.
func TestKillsWhileDaysGoAsReceipts(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills binaries; left out of short runs")
	}
	t.Parallel()
	bin := build(t)
	for seed, mode := range []string{"receipt", "ticket"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := newWorldAs(t, bin, uint64(10+seed), false, store, books.Odoo{}, mode)
			if mode == "ticket" { // each is matched by a call of its own
				w.pause = time.Second
			}
			var order, must []boundary
			for _, b := range append(boundaries(), boundary{"hub", "match", "match.before"}, boundary{"hub", "match", "match.after"}) {
				switch b.stage {
				case "outbox", "load", "readback", "post", "match", "odoo.commit":
					order = append(order, b)
				}
				switch b.point {
				case "load.after", "post.before", "post.after", "match.before", "match.after":
					must = append(must, b)
				}
			}
			sum := newTally()
			stop := w.sell(t)
			for i := range len(order) * 5 / 4 { // every fifth pull is at random
				if w.pull(t, i, order, sum); t.Failed() {
					break
				}
			}
			w.meet(t, must, 1, 10*len(must), sum)
			stop()
			got := w.settled(t)
			t.Logf("%d kills over %d tickets at %v: lost %d, doubled %d, cents off %d", w.kills, len(w.told), sum.hits, got.lost, got.doubled, got.off)
			if got.lost+got.doubled != 0 || got.off != 0 {
				t.Error(strings.Join(got.words, "\n"))
			}
			for _, b := range sum.short(must, 1) {
				t.Errorf("nothing was killed at %s", b.point)
			}
		})
	}
}
