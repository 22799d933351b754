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
	root = "../.."
	long = 250 // lines: beyond it a file often has a second job
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
	if n := bytes.Count(body, []byte("\n")); n > long {
		t.Logf("%s has %d lines: has it a second job?", name, n) // a question, no verdict
	}
	product := !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, "test/")
	f, err := parser.ParseFile(token.NewFileSet(), name, body, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if product {
		checkProduct(t, name, f)
		checkDocs(t, name, f)
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

// checkDocs: who uses a package reads what its names promise. Methods that an interface of the standard library names need no words.
func checkDocs(t *testing.T, name string, f *ast.File) {
	for _, d := range f.Decls {
		switch x := d.(type) {
		case *ast.FuncDecl:
			if x.Name.IsExported() && x.Doc == nil && !known[x.Name.Name] && seen(x) {
				t.Errorf("%s: %s says nothing of what it promises", name, x.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range x.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.IsExported() && x.Doc == nil && ts.Doc == nil && ts.Comment == nil {
					t.Errorf("%s: type %s says nothing of what it is", name, ts.Name.Name)
				}
			}
		}
	}
}

// seen tells a function, and a method of a type that others can name.
func seen(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	name := ""
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return ast.IsExported(name)
}

// known are methods whose promise stands in the standard library.
var known = set("Error", "String", "Unwrap", "Is", "ServeHTTP", "MarshalText", "UnmarshalText", "MarshalJSON", "UnmarshalJSON", "Write", "Close", "Len", "Less", "Swap", "Push", "Pop",
	"Enabled", "Handle", "WithAttrs", "WithGroup")

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
