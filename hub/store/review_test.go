package store_test

import (
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/view"
)

// A day that is not over is in a review's sums and not in the books: it is counted beside those that should be there.
func TestAReviewTellsWhichDaysAreNotOver(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.clock = time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	g.sell("1", "2026-11-20T18:00:00Z")
	g.sell("2", "2026-11-21T18:00:00Z")
	running := func() (n, unposted int) {
		t.Helper()
		rows, err := g.ReviewLocations(t.Context(), view.ReviewFilter{Location: "S1", From: "2026-11-01", To: "2026-11-30"})
		if g.ok(err); len(rows) != 1 || rows[0].Days != 2 {
			t.Fatalf("%+v", rows)
		}
		return rows[0].Running, rows[0].Unposted
	}
	if n, unposted := running(); n != 1 || unposted > 1 {
		t.Errorf("%d days are not over, %d are not posted", n, unposted)
	}
	g.later(48 * time.Hour)
	if n, _ := running(); n != 0 {
		t.Errorf("%d days are not over two days later", n)
	}
}
