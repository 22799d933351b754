package app

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A folder that somebody names for a PC that has settings already is not passed over in silence; one that stands there is no mistake.
func TestAFolderThatIsNotTakenIsTold(t *testing.T) {
	r := &run{}
	r.lay.Settings = filepath.Join(t.TempDir(), "agent.toml")
	r.opt.folders = []string{`C:\Exports=pcamerica`, "/srv/till=supermarket", "/srv/other=supermarket"}
	if got := r.unused(); got != nil {
		t.Errorf("without settings: %v", got)
	}
	if err := os.WriteFile(r.lay.Settings, []byte("[[source.filedrop]]\ndir = \"C:\\\\Exports\"\n[[source.filedrop]]\ndir = '/srv/till'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := r.unused(); !slices.Equal(got, []string{"/srv/other=supermarket"}) {
		t.Error(got)
	}
}
