package bug

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// A name without its file, or a file that none.go does not exclude, would make a bug that nobody can plant.
func TestEveryNameHasItsFile(t *testing.T) {
	none, err := os.ReadFile("none.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(slices.Clone(Names), Releases...) {
		on, err := os.ReadFile("on_" + name + ".go")
		if err != nil || !strings.Contains(string(on), `const active = "`+name+`"`) || !strings.HasPrefix(string(on), "//go:build bug_"+name+"\n") {
			t.Errorf("%s: its file is missing or says something else: %v", name, err)
		}
		if !strings.Contains(string(none), "!bug_"+name+" ") && !strings.Contains(string(none), "!bug_"+name+"\n") {
			t.Errorf("none.go does not exclude %s", name)
		}
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(Names)+len(Releases)+3 {
		t.Errorf("%d files for %d names", len(files), len(Names)+len(Releases))
	}
}
