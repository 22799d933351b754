package arch

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	root     = "../.."
	maxLines = 400 // beyond it a file has a second job
)

// clocks are the files of a pure package that drive it on real time and hold no decision.
var clocks = set("agent/forward/loop.go")

// words that promise work instead of doing it.
var words = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`)

// workplace is what only one machine knows.
var workplace = regexp.MustCompile(`/(wo` + `rk|fa` + `rm)/[a-z.]`)

func TestFiles(t *testing.T) {
	n := 0
	for _, dir := range []string{"agent", "hub", "shared", "installer", "test", "configs", "packaging"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(file string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) || err == nil && (d.IsDir() && d.Name() == "testdata") {
				return fs.SkipDir
			}
			if err != nil || d.IsDir() {
				return err
			}
			n++
			body, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name, _ := filepath.Rel(root, file)
			name = filepath.ToSlash(name)
			checkText(t, name, body)
			if strings.HasSuffix(name, ".go") {
				checkSource(t, name, body)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 50 {
		t.Fatalf("%d files: the test looked in the wrong place", n)
	}
}

func checkText(t *testing.T, name string, body []byte) {
	if m := workplace.Find(body); m != nil {
		t.Errorf("%s names a path of one machine: %s…", name, m)
	}
	if m := words.Find(body); m != nil && !strings.HasPrefix(name, "test/arch/") {
		t.Errorf("%s says %s: do it, or leave it unsaid", name, m)
	}
}

func checkSource(t *testing.T, name string, body []byte) {
	if n := bytes.Count(body, []byte("\n")); n > maxLines {
		t.Errorf("%s has %d lines, more than %d: look for its second job", name, n, maxLines)
	}
	product := !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, "test/")
	f, err := parser.ParseFile(token.NewFileSet(), name, body, parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if product {
		checkProduct(t, name, f)
	}
}

func checkProduct(t *testing.T, name string, f *ast.File) {
	decides := pure[path.Dir(name)] && !clocks[name]
	ast.Inspect(f, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.SelectorExpr:
			if on, ok := x.X.(*ast.Ident); ok && on.Name == "time" {
				checkClock(t, name, x.Sel.Name, decides)
			}
		case *ast.CallExpr:
			if id, ok := x.Fun.(*ast.Ident); ok && id.Name == "panic" && !strings.HasPrefix(name, "agent/main") && !says(x, "BUG: ") {
				t.Errorf(`%s panics without "BUG: …": a panic means a mistake of ours, everything else is an error`, name)
			}
		}
		return true
	})
}

func checkClock(t *testing.T, name, what string, decides bool) {
	switch what {
	case "Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick":
		if decides {
			t.Errorf("%s decides and must be given the time, not read it with time.%s", name, what)
		}
	case "Sleep":
		t.Errorf("%s sleeps: wait for what you wait for, with a context", name)
	}
}

func says(c *ast.CallExpr, prefix string) bool {
	ok := false
	for _, a := range c.Args {
		ast.Inspect(a, func(n ast.Node) bool {
			if l, is := n.(*ast.BasicLit); is && strings.Contains(l.Value, prefix) {
				ok = true
			}
			return true
		})
	}
	return ok
}
