package tuf

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/app"
	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/release/client"
)

// TestTheHub serves the repository at the door where PCs enrol, signs a timestamp that was left to run out, opens a case 60 days before the people's
// signatures end, and closes it when they have signed. With everything run out it starts and works as ever.
func TestTheHub(t *testing.T) {
	w := newWorld(t)
	w.now = time.Now().Add(-310 * 24 * time.Hour) // targets end in 55 days, the hub's own signatures did long ago
	w.must(w.repo.Renew("targets"))
	w.must(w.repo.Renew("root"))
	_, err := w.repo.Add([]repo.Program{agent("1.0.0")}, 1)
	w.must(err)
	w.sign(append(w.root[:2:2], w.targets...)...)
	w.publish()
	c := app.Default()
	c.DataDir, c.Release.Dir, c.Release.Keys = t.TempDir(), w.dir, w.keys
	c.Web.Listen, c.Broker.Listen, c.Enrol.Listen, c.Metrics.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", ""
	cases, over := run(t, c, "targets runs out on", func(url string) {
		k, err := client.Open(client.Config{Dir: w.pc, Root: w.pinned, OS: "linux", Arch: "amd64", Now: time.Now, Source: client.Web{Base: url + release.Path, Client: anyHub}})
		w.must(err)
		target, err := k.Find(t.Context(), "", "")
		w.must(err)
		to := filepath.Join(t.TempDir(), "agent")
		_, err = k.Fetch(t.Context(), target, "", to)
		w.must(err)
	})
	if len(cases) != 1 || !strings.Contains(cases[0].Detail, "targets runs out on") || strings.Contains(cases[0].Detail, "timestamp") {
		t.Errorf("cases: %+v", cases)
	}
	if !over {
		t.Error("the hub did not end well")
	}
	// all of it ran out, and the hub's keys are not the root's: it says so and works
	w.now = time.Now().Add(-900 * 24 * time.Hour)
	w.must(w.repo.Renew("root"))
	w.must(w.repo.Renew("targets"))
	w.sign(append(w.root[:2:2], w.targets...)...)
	_, err = w.repo.Publish(w.repo, w.online)
	w.must(err)
	c.Release.Keys = t.TempDir()
	_, _, err = repo.MakeOnline(c.Release.Keys)
	w.must(err)
	cases, over = run(t, c, "root ran out on", func(string) {})
	if len(cases) != 1 || !strings.Contains(cases[0].Detail, "root ran out on") || !strings.Contains(cases[0].Detail, "goes on selling") || !over {
		t.Errorf("cases: %+v", cases)
	}
	w.now = time.Now()
	w.must(w.online.Adopt(w.repo))
	w.must(w.repo.Renew("root"))
	w.must(w.repo.Renew("targets"))
	w.sign(append(w.root[:2:2], w.targets...)...)
	w.publish()
	c.Release.Keys = w.keys
	if cases, _ = run(t, c, "", func(string) {}); len(cases) != 0 {
		t.Errorf("signed again: %+v", cases)
	}
}

// anyHub takes every certificate: the signatures are what counts.
var anyHub = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

// run runs a hub until the one open case says want, or there is none for "", and gives what is open then.
func run(t *testing.T, c app.Config, want string, use func(url string)) (cases []view.CaseView, over bool) {
	t.Helper()
	a, err := app.New(t.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); <-time.After(20 * time.Millisecond) {
		if cases, err = a.Store.CaseViews(ctx, view.CaseFilter{}); err != nil {
			t.Fatal(err)
		}
		if want == "" && len(cases) == 0 || want != "" && len(cases) == 1 && strings.Contains(cases[0].Detail, want) {
			break
		}
	}
	use(a.EnrolURL)
	stop()
	over = <-ended == nil
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return cases, over
}
