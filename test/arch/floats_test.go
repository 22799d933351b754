package arch

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floats lists where a float may be, and why; a name without .go is a whole package. Everywhere else an expression of a float type is a
// fault, whatever its name: money is minor units, rates are decimals.
var floats = map[string]string{
	"hub/odoo/value.go":    "Odoo's wire speaks in doubles: the one function that turns them into minor units, and refuses a residue",
	"hub/odoo/readback.go": "hands the wire's doubles to that function",
	"hub/web/table.go":     "a workbook's numbers are doubles to its library: the one function that makes them, and text where a double would lie",
	"hub/broker/broker.go": "nats-server's own options count seconds in doubles; no money is near",
}

// typed is a product package with its types.
type typed struct {
	name  string
	fset  *token.FileSet
	files []*ast.File
	info  *types.Info
	pkg   *types.Package
}

// TestNoFloats walks every product package by type: no expression, field or result is a float, and no JSON is decoded into one, unseen,
// through an interface.
func TestNoFloats(t *testing.T) {
	used := map[string]bool{}
	for _, p := range check(t) {
		for _, f := range p.files {
			file := path.Join(p.name, filepath.Base(p.fset.Position(f.Package).Filename))
			report := func(n ast.Node, format string, args ...any) {
				for _, name := range []string{file, p.name} {
					if _, ok := floats[name]; ok {
						used[name] = true
						return
					}
				}
				t.Errorf("%s:%d "+format, append([]any{file, p.fset.Position(n.Pos()).Line}, args...)...)
			}
			p.walk(f, report)
		}
	}
	for name := range floats {
		if !used[name] {
			t.Errorf("%s is allowed to use floats and does not: strike it from the list", name)
		}
	}
}

// walk reports what is a float in a file.
func (p *typed) walk(f *ast.File, report func(ast.Node, string, ...any)) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.FuncDecl:
			p.json(x, report)
		case *ast.Field:
			if tv, ok := p.info.Types[x.Type]; ok && holdsFloat(tv.Type) {
				report(x, "declares a %s: money is minor units, rates are decimals", tv.Type)
				return false
			}
		case ast.Expr:
			if tv, ok := p.info.Types[x]; ok && holdsFloat(tv.Type) {
				report(x, "is a %s: money is minor units, rates are decimals", tv.Type)
				return false
			}
		}
		return true
	})
}

// json finds decoding into an interface: encoding/json makes a float of each number there unless the decoder is told UseNumber.
func (p *typed) json(f *ast.FuncDecl, report func(ast.Node, string, ...any)) {
	keeps := false
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "UseNumber" {
			keeps = true
		}
		return true
	})
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		s, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		fn, ok := p.info.Uses[s.Sel].(*types.Func)
		if !ok || fn.Pkg() == nil || fn.Pkg().Path() != "encoding/json" || fn.Name() != "Unmarshal" && fn.Name() != "Decode" {
			return true
		}
		into := p.info.Types[call.Args[len(call.Args)-1]].Type
		if (fn.Name() == "Unmarshal" || !keeps) && holds(into, emptyInterface, nil) && !isParameter(p, f, call.Args[len(call.Args)-1]) {
			report(call, "decodes JSON into %s: its numbers become floats; use a json.Decoder with UseNumber", into)
		}
		return true
	})
}

// isParameter: a helper that hands its caller's pointer on is judged where it is called with a value.
func isParameter(p *typed, f *ast.FuncDecl, e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	if !ok {
		return false
	}
	o := p.info.Uses[id]
	return o != nil && f.Type.Params.Pos() <= o.Pos() && o.Pos() < f.Type.Params.End()
}

func holdsFloat(t types.Type) bool { return holds(t, isFloat, nil) }

func isFloat(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
}

func emptyInterface(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.NumMethods() == 0
}

// holds looks through pointers, lists, maps and plain structs; a named type of another module is its own business.
func holds(t types.Type, is func(types.Type) bool, seen []types.Type) bool {
	if t == nil || slices.Contains(seen, t) {
		return false
	}
	seen = append(seen, t)
	if n, ok := t.(*types.Named); ok && n.Obj().Pkg() != nil && !strings.HasPrefix(n.Obj().Pkg().Path()+"/", module) && !is(t) {
		return false
	}
	if is(t) {
		return true
	}
	switch x := t.Underlying().(type) {
	case *types.Pointer:
		return holds(x.Elem(), is, seen)
	case *types.Slice:
		return holds(x.Elem(), is, seen)
	case *types.Array:
		return holds(x.Elem(), is, seen)
	case *types.Chan:
		return holds(x.Elem(), is, seen)
	case *types.Map:
		return holds(x.Key(), is, seen) || holds(x.Elem(), is, seen)
	case *types.Struct:
		for i := range x.NumFields() {
			if holds(x.Field(i).Type(), is, seen) {
				return true
			}
		}
	}
	return false
}

// check type-checks every product package from its source, its imports from what the compiler exported.
func check(t *testing.T) (out []typed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,GoFiles,CgoFiles,Export,Standard", module+"agent/...", module+"hub/...", module+"shared/...")
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports := map[string]string{}
	type source struct {
		ImportPath, Dir, Export string
		GoFiles                 []string
	}
	var ours []source
	for dec := json.NewDecoder(strings.NewReader(string(b))); ; {
		var p source
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, module) {
			ours = append(ours, p)
		}
	}
	fset := token.NewFileSet()
	imp := importer.ForCompiler(fset, "gc", func(name string) (io.ReadCloser, error) { return os.Open(exports[name]) })
	for _, s := range ours {
		p := typed{name: strings.TrimPrefix(s.ImportPath, module), fset: fset, info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}}
		for _, g := range s.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(s.Dir, g), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			p.files = append(p.files, f)
		}
		if p.pkg, err = (&types.Config{Importer: imp}).Check(s.ImportPath, fset, p.files, p.info); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		out = append(out, p)
	}
	if len(out) < 30 {
		t.Fatalf("%d packages: the test looked in the wrong place", len(out))
	}
	return out
}
