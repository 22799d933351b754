package app

import (
	"context"
	"strings"
	"time"

	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/shared/fault"
)

// releasesEvery is how often the hub looks after its repository: it signs when half of a week is over, so an hour's delay is nothing.
const releasesEvery = time.Hour

// watchReleases signs snapshot and timestamp before they run out and tells people before root and targets do. Whatever goes wrong here, nothing
// but updates waits for it.
func (a *App) watchReleases(ctx context.Context) error {
	tick := time.NewTicker(releasesEvery)
	defer tick.Stop()
	for {
		a.lookAfterReleases(ctx, time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *App) lookAfterReleases(ctx context.Context, now time.Time) {
	r := a.Config.releases()
	if !r.Exists() {
		return
	}
	var said []string
	o, err := repo.OpenOnline(a.Config.releaseKeys())
	if err == nil {
		var signed bool
		if signed, err = o.Refresh(r); signed {
			a.log.InfoContext(ctx, "the release timestamp was signed anew")
		}
	}
	if err != nil && !fault.Is(err, fault.NotFound) { // without keys here another machine signs, and its dates are watched all the same
		said = append(said, err.Error())
	}
	ends, err := r.Ends()
	if err != nil {
		said = append(said, err.Error())
	}
	for _, e := range ends {
		if e.Soon(now) {
			said = append(said, e.Say(now))
		}
	}
	if len(said) > 0 {
		a.log.WarnContext(ctx, "the releases want looking after; stores go on selling", "why", strings.Join(said, "; "))
	}
	if err := a.Store.ReleaseCase(ctx, strings.Join(said, "; ")); err != nil && ctx.Err() == nil {
		a.log.ErrorContext(ctx, "cannot keep the case about the releases", "err", err)
	}
}
