package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tillpost/tillpost/installer/machine"
	"github.com/tillpost/tillpost/installer/plan"
	"github.com/tillpost/tillpost/shared/fault"
)

// tell ends a run with what the manager will see.
func (r *run) tell(ctx context.Context, action plan.Action) error {
	fmt.Fprintln(r.out)
	switch action {
	case plan.Uninstall:
		return r.tellGone()
	case plan.Leave:
		r.con.Say("This PC is given up. Its service does not start any more.")
		if r.waits == "" {
			if f := filepath.Join(r.lay.SettingsDir(), "tickets-that-wait.ndjson"); machine.Exists(f) {
				r.waits = f
			}
		}
		if r.waits == "" {
			r.con.Say("Head office has every ticket. On the PC that takes its place: run the installer with the code that head office gives for it.")
			return nil
		}
		r.con.Say("What head office has not got stands in %s. It holds sales in plain text: carry it safely.\nOn the PC that takes its place run the installer with --take-in and that file, then delete it here.", r.waits)
		return nil
	}
	st, err := r.agent.Status(ctx)
	if err != nil {
		return err
	}
	switch {
	case st.Well() && st.Connected:
		r.con.Say("Everything is fine. Tillpost %s runs on this PC and head office hears it.", st.Version)
	case st.Well():
		r.con.Say("Tillpost %s runs on this PC. It has not reached head office yet; what is sold meanwhile is kept here and goes out by itself.", st.Version)
	default:
		r.con.Say("Tillpost %s is on this PC, and something needs attention:", st.Version)
	}
	r.con.Say("\n%s", r.agent.Words(ctx))
	look := quoted(r.lay.Agent) + " status"
	if st.Page != "" {
		look = st.Page + "  in a browser on this PC, or  " + look
	}
	for _, f := range r.unused() {
		r.con.Say("\n--folder %s was not taken: this PC has settings already. Write it into %s, or have head office set it (hub device config).", f, r.lay.Settings)
	}
	more := "You need not do anything more: it"
	if !st.Well() {
		more = "It"
	}
	r.con.Say("\n%s starts with the PC. To look at it any time:  %s", more, look)
	return nil
}

// unused lists the folders that the command line names and the settings do not: those that are there already are their owner's, and a script that
// says the same each time is no mistake.
func (r *run) unused() (out []string) {
	body, err := os.ReadFile(r.lay.Settings)
	if err != nil {
		return nil
	}
	for _, f := range r.opt.folders {
		dir, _, _ := strings.Cut(f, "=")
		if !strings.Contains(string(body), dir) && !strings.Contains(string(body), strings.ReplaceAll(dir, `\`, `\\`)) {
			out = append(out, f)
		}
	}
	return out
}

func (r *run) tellGone() error {
	if machine.Exists(r.lay.Data) {
		r.con.Say("Tillpost is off this PC. Tickets that head office has not got are kept in %s.\nInstall Tillpost here again and they are sent; to delete them: installer uninstall --delete-data", r.lay.Data)
		return nil
	}
	r.con.Say("Tillpost is off this PC; nothing of it is left.")
	if err := machine.Delete(r.lay.Journal, filepath.Join(r.lay.SettingsDir(), "installer.lock")); err != nil && !fault.Is(err, fault.Internal) {
		return err
	}
	_ = os.Remove(r.lay.SettingsDir()) // when nothing of others is in it
	return nil
}

func quoted(path string) string {
	if strings.Contains(path, " ") {
		return `"` + path + `"`
	}
	return path
}

// await keeps the window open for whoever started the installer with a double click.
func (r *run) await() {
	if !r.opt.accept && r.window() {
		fmt.Fprint(r.out, "\nPress Enter to close this window.")
		_, _ = r.in.Read(make([]byte, 1))
	}
}
