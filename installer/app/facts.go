package app

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/tillpost/tillpost/installer/journal"
	"github.com/tillpost/tillpost/installer/machine"
	"github.com/tillpost/tillpost/installer/plan"
	"github.com/tillpost/tillpost/installer/program"
	"github.com/tillpost/tillpost/installer/settings"
)

// look gathers the facts and what became of the last run.
func (r *run) look(ctx context.Context) (journal.Past, error) {
	past, err := journal.Read(r.lay.Journal)
	if err != nil {
		return past, err
	}
	f := plan.Facts{
		Payload: r.carried.Version, Packaged: machine.Exists(r.lay.Packaged), Left: machine.Exists(r.lay.Left),
		Identity: machine.Exists(r.lay.Identity()),
	}
	if body, err := os.ReadFile(r.lay.Settings); err == nil {
		f.Settings = settings.Finished(body)
	}
	if machine.Exists(r.lay.Agent) {
		f.Installed = r.agent.Version(ctx)
		f.Same = r.carried.Version != "" && machine.Sum(r.lay.Agent) == r.carried.Sum
		f.Older = plan.Older(r.carried.Version, f.Installed)
	}
	if f.Installed != "" {
		if st, err := (program.Service{Agent: r.agent}).State(ctx); err == nil {
			f.Registered, f.Running = st.Installed, st.Running
		}
		if st, err := r.agent.Status(ctx); f.Running && err == nil {
			f.Stale = st.Running && !st.Of(f.Installed)
		}
	}
	f.Waiting = r.waiting(ctx)
	if past.Cut {
		f.Interrupted = plan.Action(past.Action)
		f.Redeemed = f.Interrupted == plan.ReEnrol && slices.Contains(past.Done, string(plan.Enrol))
	}
	r.facts = f
	return past, nil
}

// waiting counts what head office has not got; below 0 when it cannot be told, and then nobody may delete it.
func (r *run) waiting(ctx context.Context) int {
	if !machine.Exists(filepath.Join(r.lay.Data, "buffer.db")) {
		return 0
	}
	if aside, _ := filepath.Glob(filepath.Join(r.lay.Data, "*damaged*")); len(aside) > 0 {
		return -1
	}
	st, err := r.agent.Status(ctx)
	if err != nil || st.Unknown {
		return -1
	}
	return st.Waiting
}
