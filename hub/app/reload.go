package app

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/config"
)

// watchSettings takes changed settings over while the hub runs (DESIGN D15): the log's level, the posting rules, the locations. Everything
// else, an address or a certificate, would cut every store's line, so that it waits for a restart and is told. A file with a fault changes
// nothing.
func (a *App) watchSettings(ctx context.Context) error {
	have := a.Config
	config.Watch(ctx, a.File, func() {
		next, err := LoadConfig(a.File)
		if err != nil {
			a.log.ErrorContext(ctx, "the changed settings cannot be used; what held before goes on", "file", a.File, "err", err)
			return
		}
		took, err := a.take(ctx, have, next)
		if err != nil {
			a.log.ErrorContext(ctx, "the changed settings were not taken over; they are tried again with the next change or start", "file", a.File, "err", err)
			return
		}
		if wait := needRestart(have, next); len(wait) > 0 {
			a.log.WarnContext(ctx, "these settings hold from the next start on", "settings", wait)
		}
		a.log.InfoContext(ctx, "settings taken over", "file", a.File, "settings", took)
		have.LogLevel, have.Posting, have.Locations = next.LogLevel, next.Posting, next.Locations
	})
	return nil
}

// take makes what may change hold at once; took names it.
func (a *App) take(ctx context.Context, have, next Config) (took []string, err error) {
	if have.LogLevel != next.LogLevel && a.Level != nil {
		a.Level.Set(levelOf(next.LogLevel).Level())
		took = append(took, "log_level")
	}
	if have.Posting != next.Posting {
		if err := a.posting(ctx, next.Posting); err != nil {
			return took, err
		}
		if err := a.Store.Rejudge(ctx); err != nil {
			return took, err
		}
		ring(a.news)
		took = append(took, "posting")
	}
	if !reflect.DeepEqual(have.Locations, next.Locations) {
		if err := a.setLocations(ctx, next.Locations); err != nil {
			return took, err
		}
		took = append(took, "location")
	}
	return took, nil
}

// taken are the settings that take makes hold at once.
var taken = []string{"log_level", "posting", "location"}

// needRestart lists what differs and cannot be taken over: every other setting, so that none is passed over in silence.
func needRestart(have, next Config) (out []string) {
	a, b := reflect.ValueOf(have), reflect.ValueOf(next)
	for i := range a.NumField() {
		name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("toml"), ",")
		if !slices.Contains(taken, name) && !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// posting makes head office's rules hold.
func (a *App) posting(ctx context.Context, p PostingConfig) error {
	limit, err := amountOf(p.SuspenseCap)
	if err != nil {
		return err
	}
	shadow, err := a.Store.ShadowRule(ctx, p.Shadow)
	if err != nil {
		return err
	}
	a.roller.Set(roll.Options{Rules: p.rules(), AutoApprove: p.AutoApprove, Shadow: shadow, SuspenseCap: limit, Period: p.Closed, Settle: time.Duration(p.Settle),
		Books: rollup.Books{Journal: p.Journal, Suspense: p.Suspense}})
	return a.Store.Judge(ctx, p.rules())
}
