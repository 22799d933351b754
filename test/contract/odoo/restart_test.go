package odoo_test

import (
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
)

// A real server is restarted by ODOO_RESTART, a shell command, at the moment when it loads or posts a chunk.
func TestAServerThatIsRestartedInTheMiddleDoublesNothing(t *testing.T) {
	url, command := os.Getenv("ODOO_URL"), os.Getenv("ODOO_RESTART")
	if url == "" || command == "" {
		t.Skip("ODOO_URL or ODOO_RESTART is not set: no real Odoo to restart")
	}
	s := realServer(url)
	set, b := s.set(t)
	for _, method := range []string{"account.move.load", "account.move.action_post", "account.move.line.search_read"} {
		var docs []rollup.Document
		for i := range 20 {
			docs = append(docs, document(t, set, b, "S-NY", today.AddDays(-i)))
		}
		at, way := s.behind(t)
		o, hub := newOutbox(docs...), newHub()
		w, _ := at.writer(t, o, hub)
		var wg sync.WaitGroup
		var once sync.Once
		way.set(func(call string) spoil {
			if call == method {
				once.Do(func() {
					wg.Go(func() {
						if out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput(); err != nil {
							t.Errorf("restart: %v: %s", err, out)
						}
					})
				})
			}
			return pass
		})
		step(t, w)
		first := o.outcome(docs[0])
		wg.Wait()
		for n := 0; n < 10 && o.open() > 0; n++ { // the chunk grows again from one
			step(t, w)
		}
		for _, d := range docs {
			want(t, o.outcome(d), odoo.Done)
			s.audit(t, hub, d)
		}
		t.Logf("restarted at %s: first %s (%s), then all %d posted once", method, first.Verdict, first.Why, len(docs))
	}
}
