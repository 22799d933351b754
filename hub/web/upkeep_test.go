package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/upkeep"
)

// What the hub's own machine needs stands on the first page of head office, and not on a store's.
func TestTheFirstPageTellsOfDiskAndCertificates(t *testing.T) {
	for name, sees := range map[string]bool{"ann": true, "store": false} {
		w := newSite(t)
		now := time.Now()
		w.pcs.needs = upkeep.State{Disk: upkeep.Disk{Dir: "/data"}.Next(100<<20, now), Certificates: []upkeep.Certificate{{Name: "web", At: "127.0.0.1:443", Ends: now.Add(20 * 24 * time.Hour)}}}.Needs(now)
		w.signIn(t, name, "correct horse 9")
		_, page := w.get(t, "/")
		for _, says := range []string{"disk is almost full", "Make room now", "certificate of the pages ends in"} {
			if strings.Contains(page, says) != sees {
				t.Errorf("%s: %q on the page is %t, want %t", name, says, !sees, sees)
			}
		}
	}
}

// A hub that was put back posts nothing until it has read its entries back: whoever looks at days that do not move must see why.
func TestTheFirstPageSaysThatTheHubWasPutBack(t *testing.T) {
	w := newSite(t)
	w.signIn(t, "ann", "correct horse 9")
	for _, restored := range []time.Time{{}, time.Now().Add(-time.Hour)} {
		w.pcs.restored = restored
		if _, page := w.get(t, "/"); strings.Contains(page, "No store-day goes to Odoo until it has") == restored.IsZero() {
			t.Errorf("put back %s: the first page says %t", restored, restored.IsZero())
		}
	}
}
