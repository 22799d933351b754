package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/release/client"
)

// Verify reads the repository as a PC does that was just enrolled with root, and reads every file that is named. root nil is the first one of
// the repository itself. Codes as of client.Find.
func (r *Repo) Verify(ctx context.Context, root []byte) (v client.View, err error) {
	if root == nil {
		if root, err = os.ReadFile(r.meta(1, rootJSON)); err != nil {
			return v, errors.Join(r.need(), err)
		}
	}
	dir, err := os.MkdirTemp("", "tillpost-verify-")
	if err != nil {
		return v, fault.New(fault.Internal, "verify", err)
	}
	defer os.RemoveAll(dir)
	c, err := client.Open(client.Config{Dir: dir, Root: root, Source: client.Folder(r.dir), OS: "any", Arch: "any", Now: r.now})
	if err != nil {
		return v, err
	}
	if v, err = c.View(ctx); err != nil {
		return v, err
	}
	for _, t := range v.Targets {
		files := []release.Patch{{Name: t.Name, Size: t.Size, Sum: t.Sum}}
		for _, f := range append(files, t.Patches...) {
			if !same(r.path(release.Hashed(f.Name, f.Sum)), f.Size, f.Sum) {
				return v, fault.Msg(fault.Invalid, "verify", f.Name+" is missing or is not what was signed: bring it from the folder in which it was added")
			}
		}
	}
	if len(v.Unread) > 0 {
		slices.Sort(v.Unread)
		return v, fault.Msg(fault.Invalid, "verify", fmt.Sprintf("no program of this version reads what is said of %s", v.Unread[0]))
	}
	return v, nil
}

// Root is the newest root: what a PC is given when it is enrolled. nil when nothing was published.
func (r *Repo) Root() ([]byte, error) {
	n, err := r.latest(rootJSON)
	if err != nil || n == 0 {
		return nil, err
	}
	b, err := os.ReadFile(r.meta(n, rootJSON))
	return b, fault.New(fault.Internal, "read root", err)
}

// End is when a role's signatures run out.
type End struct {
	Role    string    `json:"role"`
	Version int64     `json:"version"`
	Ends    time.Time `json:"ends"`
	Warn    time.Time `json:"warn_from"` // from here on people are told
}

// Soon reports whether people are to be told.
func (e End) Soon(now time.Time) bool { return !now.Before(e.Warn) }

// Say words it for people: what it means and what to do.
func (e End) Say(now time.Time) string {
	how := "the hub signs it by itself: look why it did not"
	if e.Role == metadata.ROOT || e.Role == metadata.TARGETS {
		how = "hub release renew " + e.Role + ", sign, publish"
	}
	day := e.Ends.Format(time.DateOnly)
	if e.Ends.Before(now) {
		return fmt.Sprintf("%s ran out on %s: no PC is updated until it is signed anew, and every store goes on selling (%s)", e.Role, day, how)
	}
	return fmt.Sprintf("%s runs out on %s: from then on no PC is updated, and every store goes on selling (%s)", e.Role, day, how)
}

// Ends lists when what is in force runs out, the first to end first; none when nothing was published.
func (r *Repo) Ends() (out []End, err error) {
	root, err := r.root()
	if err != nil || root == nil {
		return nil, err
	}
	out = append(out, End{metadata.ROOT, root.Signed.Version, root.Signed.Expires, root.Signed.Expires.Add(-WarnAhead)})
	if t, err := r.targets(); err != nil {
		return nil, err
	} else if t != nil {
		out = append(out, End{metadata.TARGETS, t.Signed.Version, t.Signed.Expires, t.Signed.Expires.Add(-WarnAhead)})
	}
	ts, err := load[metadata.TimestampType](r.path(release.MetadataDir + timeJSON))
	if err != nil {
		return nil, err
	}
	if ts != nil { // signed anew at half of their life: at a quarter something is wrong
		out = append(out, End{metadata.TIMESTAMP, ts.Signed.Version, ts.Signed.Expires, ts.Signed.Expires.Add(-timestampLife / 4)})
		s, err := load[metadata.SnapshotType](r.meta(ts.Signed.Meta[snapJSON].Version, snapJSON))
		if err != nil {
			return nil, err
		}
		if s != nil {
			out = append(out, End{metadata.SNAPSHOT, s.Signed.Version, s.Signed.Expires, s.Signed.Expires.Add(-snapshotLife / 4)})
		}
	}
	slices.SortFunc(out, func(a, b End) int { return a.Ends.Compare(b.Ends) })
	return out, nil
}
