package app

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
	"github.com/tillpost/tillpost/shared/profile"
)

// profiles remembers how files are read: the hub's own version of a profile wins over the one that rows were made with, which an agent sent or
// which is shipped. Safe for concurrent use.
type profiles struct {
	read func(ctx context.Context, name, version string) ([]byte, error)
	mu   sync.Mutex
	have map[profileText]known
	sent map[profileText][]byte // texts that have come and may not be committed yet
}

// profileText is a text of a profile; of is "" for that of rows that do not say theirs.
type profileText struct{ name, of string }

// known is a profile as it stood when it was last looked up.
type known struct {
	*profile.Profile
	err   error
	until time.Time
}

// What is remembered is bounded: a device may send whatever it likes. What is forgotten, or too long, is read from the database.
const (
	versionsMost = 500
	textMost     = 64 << 10
)

func (p *profiles) get(name, of string) (*profile.Profile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, v := time.Now(), profileText{name, of}
	if k, ok := p.have[v]; ok && now.Before(k.until) {
		return k.Profile, k.err
	}
	k := known{until: now.Add(calendarLife)}
	body, err := p.read(context.Background(), name, of)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		body = p.sent[v]
	}
	switch {
	case len(body) > 0 && string(body) == string(p.have[v].text()):
		k.Profile = p.have[v].Profile
	case len(body) > 0:
		k.Profile, k.err = profile.Parse(body)
	default:
		var ok bool
		if k.Profile, ok = decode.Shipped(name, of); !ok {
			return nil, decode.Unknown(name, of)
		}
	}
	if len(p.have) >= versionsMost {
		clear(p.have)
	}
	p.have[v] = k
	return k.Profile, k.err
}

// hear has an intake know each profile from where it comes: the rows behind it may be in its batch, and are read before that is committed. A text
// is known by its hash, so nothing else can be read by one that never is.
func (p *profiles) hear(mean func(*envelope.Envelope) ingest.Meaning) func(*envelope.Envelope) ingest.Meaning {
	return func(e *envelope.Envelope) ingest.Meaning {
		if e.Kind == decode.Profile && len(e.Body) <= textMost {
			p.mu.Lock()
			if len(p.sent) >= versionsMost {
				clear(p.sent)
			}
			p.sent[profileText{e.Key, profile.VersionOf(e.Body)}] = bytes.Clone(e.Body)
			p.mu.Unlock()
		}
		return mean(e)
	}
}

// needs is what a profile says of its source's proofs; one that is not known says nothing.
func (p *profiles) needs(name string) audit.Needs {
	if name == hretail.Proof { // the API has no profile: what it proves does not depend on a tenant
		return audit.Needs{Gaps: audit.Advisory, Control: audit.Required}
	}
	k, err := p.get(name, "")
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
