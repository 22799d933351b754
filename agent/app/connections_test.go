package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/mode"
)

func refuse(t *testing.T, b *breaker.Breaker) {
	t.Helper()
	err := b.Do(t.Context(), func(context.Context) error {
		return breaker.Refuse(fault.Msg(fault.Invalid, "log in", "the key is not valid"))
	})
	if !breaker.IsRefusal(err) {
		t.Fatal(err)
	}
}

// A refused connection is asked again when the file with its key changes, and on a person's word; the trouble of one is not that of another.
func TestARefusedConnectionIsAskedAgain(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &App{}
	first, second := breaker.New("retail/main", breaker.Options{Mode: mode.Production}), breaker.New("portico/main", breaker.Options{})
	a.connect(of(first, connection{secrets: []string{key}}))
	a.connect(of(second, connection{mode: mode.Production}))
	refuse(t, first)
	now := time.Now()
	a.lookConnections(now)
	if h := a.Health.Report(now); len(h) != 1 || !strings.Contains(h[0].Detail, "retail/main") || h[0].Code != "connection_refused:retail/main" {
		t.Errorf("%+v", h)
	}
	if s := a.Connections(); s[0].Name != "portico/main" || s[0].State != breaker.Closed || s[0].Mode != mode.Production || s[1].State != breaker.Refused {
		t.Errorf("%+v", s)
	}
	if err := os.WriteFile(key, []byte("a new key"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.lookConnections(now)
	a.lookConnections(now)
	if s := first.Status(); s.State != breaker.Closed {
		t.Errorf("after a new key it is %s", s.State)
	}
	if h := a.Health.Report(now); len(h) != 0 {
		t.Errorf("%+v", h)
	}
	refuse(t, second)
	if err := a.Retry("portico/main"); err != nil || second.Status().State != breaker.Closed {
		t.Errorf("%v %+v", err, second.Status())
	}
	if err := a.Retry("nothing"); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "portico/main, retail/main") {
		t.Errorf("%v", err)
	}
	if err := a.unmixed(); err != nil {
		t.Errorf("%v", err)
	}
	a.connect(of(breaker.New("terminal/sim", breaker.Options{Mode: mode.Test}), connection{}))
	if err := a.unmixed(); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
	// One that rests is told after a while only: a line that blinks is no news.
	for range 5 {
		_ = first.Do(t.Context(), func(context.Context) error { return fault.New(fault.Unavailable, "ask", errors.New("no route")) })
	}
	a.lookConnections(now)
	if h := a.Health.Report(now); len(h) != 0 {
		t.Errorf("%+v", h)
	}
	if h := a.Health.Report(now.Add(6 * time.Minute)); len(h) != 1 || h[0].Severity != "medium" {
		t.Errorf("%+v", h)
	}
}
