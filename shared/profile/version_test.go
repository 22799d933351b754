package profile_test

import (
	"testing"

	"github.com/tillpost/tillpost/shared/profile"
)

func TestAVersionTellsTextsOfOneNameApart(t *testing.T) {
	s, _ := profile.Shipped("supermarket")
	own := parsed(t, string(s.TOML())+"\n# ours\n")
	same := parsed(t, string(s.TOML()))
	if s.Version() != profile.FromShipped || same.Version() != profile.FromShipped {
		t.Errorf("shipped: %q, %q", s.Version(), same.Version())
	}
	if v := own.Version(); v == profile.FromShipped || v != profile.VersionOf(own.TOML()) || len(v) != 16 {
		t.Errorf("an own one of that name: %q", v)
	}
}
