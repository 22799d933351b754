package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
	"github.com/tillpost/tillpost/shared/profile"
)

// profiles remembers how files are read: the hub's own version of a profile wins over what an agent sent, and that over the shipped one.
// Safe for concurrent use.
type profiles struct {
	read func(ctx context.Context, name string) ([]byte, error)
	mu   sync.Mutex
	have map[string]known
}

// known is a profile as it stood when it was last looked up.
type known struct {
	*profile.Profile
	err   error
	until time.Time
}

func (p *profiles) get(name string) (*profile.Profile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if k, ok := p.have[name]; ok && now.Before(k.until) {
		return k.Profile, k.err
	}
	k := known{until: now.Add(calendarLife)}
	body, err := p.read(context.Background(), name)
	switch {
	case err != nil:
		return nil, err
	case len(body) > 0 && string(body) == string(p.have[name].text()):
		k.Profile = p.have[name].Profile
	case len(body) > 0:
		k.Profile, k.err = profile.Parse(body)
	default:
		var ok bool
		if k.Profile, ok = profile.Shipped(name); !ok {
			return nil, fault.Msg(fault.Invalid, "read rows", fmt.Sprintf("the profile %q is not known here; add it, then retry", name))
		}
	}
	p.have[name] = k
	return k.Profile, k.err
}

// needs is what a profile says of its source's proofs; one that is not known says nothing.
func (p *profiles) needs(name string) audit.Needs {
	if name == hretail.Proof { // the API has no profile: what it proves does not depend on a tenant
		return audit.Needs{Gaps: audit.Advisory, Control: audit.Required}
	}
	k, err := p.get(name)
	if err != nil {
		return audit.Needs{}
	}
	return audit.Needs{Gaps: audit.Need(k.Proof.Gaps), Control: audit.Need(k.Proof.Control)}
}

func (k known) text() []byte {
	if k.Profile == nil {
		return nil
	}
	return k.TOML()
}
