package app

import (
	"context"
	"errors"
	"testing"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
	"github.com/tillpost/tillpost/shared/profile"
)

// What the API of Heartland Retail proves is no profile's business: its total must come and agree, its numbers may have gaps (DESIGN D10).
func TestWhatHeartlandRetailProves(t *testing.T) {
	p := &profiles{}
	if got := p.needs(hretail.Proof); got != (audit.Needs{Gaps: audit.Advisory, Control: audit.Required}) {
		t.Errorf("got %+v", got)
	}
}

// Rows behind their profile in one batch are read by it, though it is not committed yet; rows of another version wait, and shipped ones are read by
// the shipped text, whatever a store calls by its name.
func TestAProfileIsKnownFromWhereItComes(t *testing.T) {
	s, _ := profile.Shipped("supermarket")
	own := append([]byte("# ours\n"), s.TOML()...)
	p := &profiles{read: func(_ context.Context, _, version string) ([]byte, error) {
		if version == "" {
			return own, nil // the last that came
		}
		return nil, nil
	}, have: map[profileText]known{}, sent: map[profileText][]byte{}}
	version := profile.VersionOf(own)
	if _, err := p.get("supermarket", version); !errors.Is(err, profile.ErrUnknown) {
		t.Errorf("before it came: %v", err)
	}
	p.hear(func(*envelope.Envelope) ingest.Meaning { return ingest.Meaning{} })(&envelope.Envelope{Kind: decode.Profile, Key: "supermarket", Body: own})
	for of, want := range map[string]string{version: string(own), "": string(own), profile.FromShipped: string(s.TOML()), profile.VersionOf(s.TOML()): string(s.TOML())} {
		if got, err := p.get("supermarket", of); err != nil || string(got.TOML()) != want {
			t.Errorf("version %q: %v", of, err)
		}
	}
	if _, err := p.get("supermarket", "0123456789abcdef"); !errors.Is(err, profile.ErrUnknown) {
		t.Errorf("another: %v", err)
	}
}
