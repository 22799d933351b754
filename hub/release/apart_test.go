package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// TestKeysLieApart: no way of naming a folder gets the hub's keys to where everybody reads.
func TestKeysLieApart(t *testing.T) {
	at := t.TempDir()
	in := func(parts ...string) string { return filepath.Join(append([]string{at}, parts...)...) }
	for _, dir := range []string{"releases/metadata", "safe", "else"} {
		if err := os.MkdirAll(in(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{"to-releases": in("releases"), "to-safe": in("safe"), "to-nothing": in("releases", "not", "there"), "around": "to-releases", "circle": "circle2", "circle2": "circle"} {
		if err := os.Symlink(to, in(from)); err != nil {
			t.Skip("no links here:", err)
		}
	}
	if err := os.Symlink(in("else"), in("releases", "targets")); err != nil { // a repository whose programs lie on another disk
		t.Fatal(err)
	}
	for _, x := range []struct {
		dir, keys string
		refused   bool
	}{
		{"releases", "safe", false},
		{"releases", "release-keys", false},
		{"releases", "to-safe", false},
		{"to-releases", "safe/new", false},
		{"new/releases", "new/release-keys", false},
		{"releases", "releases-keys", false},
		{"releases", "", false},            // the folder around both
		{"circle/releases", "safe", false}, // a disk that cannot be looked at keeps nobody from starting
		{"releases", "circle/keys", false},
		{"circle/releases", "circle/releases/keys", true},
		{"releases", "releases", true},
		{"releases", "releases/keys", true},
		{"releases", "safe/../releases/a/b", true},
		{"releases", "to-releases/keys", true},
		{"releases", "around/keys", true},
		{"releases", "to-nothing/keys", true},
		{"to-releases", "releases/keys", true},
		{"around", "to-releases", true},
		{"releases", "else", true},
		{"releases", "else/keys", true},
		{"new", "new/keys", true},
		{"", "release-keys", true},
	} {
		err := At(in(x.dir), time.Now).Apart(in(x.keys))
		if (err != nil) != x.refused || err != nil && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "name a folder outside of it")) {
			t.Errorf("releases in %q, keys in %q: %v", x.dir, x.keys, err)
		}
	}
}
