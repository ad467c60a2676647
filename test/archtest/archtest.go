// Package archtest holds the architecture: which package may import which, where third parties may appear, what the
// front must never link, and a few rules about the source itself.
//
// It guarantees that a violation is named by file, line, and the reason of the rule. Every rule is a function over parsed
// files or over a dependency list, so that each has a test with a violation planted. The files are read whatever their
// build tags say: a rule holds on every platform at once. It is used by its own test only, and changes nothing.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// Module is the path of the module whose architecture this is.
const Module = "github.com/cognito-credhelper/cognito-credhelper"

// File is one parsed Go source file of the module.
type File struct {
	Path      string // relative to the module's root, with slashes
	Package   string // folder relative to the module's root, "." for the root: "internal/token"
	Test      bool   // a _test.go file, or one that only a build for tests has
	Generated bool   // carries the standard "Code generated" line
	Fset      *token.FileSet
	AST       *ast.File
}

// Finding is one violation.
type Finding struct {
	Path   string // relative to the module's root
	Line   int    // 0 when the whole file or package is meant
	Reason string
}

// String gives "path:line: reason".
func (f Finding) String() string {
	if f.Line == 0 {
		return f.Path + ": " + f.Reason
	}
	return fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Reason)
}

// Rule is one check over all files of the module.
type Rule struct {
	Name  string
	Check func([]File) []Finding
}

// Parse reads one file's source. p is its path relative to the module's root.
func Parse(p string, src []byte) (File, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, p, src, parser.ParseComments)
	if err != nil {
		return File{}, fmt.Errorf("parsing: %w", err)
	}
	return File{
		Path:      p,
		Package:   path.Dir(p),
		Test:      strings.HasSuffix(p, "_test.go") || onlyForTests(tree),
		Generated: ast.IsGenerated(tree),
		Fset:      fset,
		AST:       tree,
	}, nil
}

// onlyForTests says whether a file is built with the tag testclock only, which no program that people install has.
func onlyForTests(tree *ast.File) bool {
	for _, group := range tree.Comments {
		if group.Pos() > tree.Package {
			break
		}
		for _, c := range group.List {
			if c.Text == "//go:build testclock" {
				return true
			}
		}
	}
	return false
}

// Load parses every Go file of the module at root. Folders that go build would skip, and nested modules, are skipped.
func Load(root string) ([]File, error) {
	var files []File
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && skipped(name, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		f, err := Parse(filepath.ToSlash(rel), src)
		if err != nil {
			return err
		}
		files = append(files, f)
		return nil
	})
	return files, err
}

func skipped(dir, base string) bool {
	if base == "testdata" || base == "vendor" || base == "node_modules" || base[0] == '.' || base[0] == '_' {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// finding places a reason at a position of f.
func (f File) finding(pos token.Pos, reason string) Finding {
	return Finding{Path: f.Path, Line: f.Fset.Position(pos).Line, Reason: reason}
}

// imports gives the file's import paths in order.
func (f File) imports() []importSpec {
	specs := make([]importSpec, 0, len(f.AST.Imports))
	for _, s := range f.AST.Imports {
		p, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			continue // the parser has refused such a file already
		}
		specs = append(specs, importSpec{path: p, spec: s})
	}
	return specs
}

type importSpec struct {
	path string
	spec *ast.ImportSpec
}

// own gives the folder of an import of this module.
func (s importSpec) own() (string, bool) {
	if s.path == Module {
		return ".", true
	}
	return strings.CutPrefix(s.path, Module+"/")
}

// localName is the name under which f uses the standard package p, or "" when f does not import it.
func (f File) localName(p string) string {
	for _, s := range f.imports() {
		switch {
		case s.path != p:
		case s.spec.Name != nil:
			return s.spec.Name.Name
		default:
			return path.Base(p)
		}
	}
	return ""
}

// within says whether folder is one of the places. A place "x/..." means x and everything below it.
func within(folder string, places []string) bool {
	for _, p := range places {
		tree, deep := strings.CutSuffix(p, "/...")
		if folder == tree || deep && strings.HasPrefix(folder, tree+"/") {
			return true
		}
	}
	return false
}

func sortFindings(found []Finding) []Finding {
	sort.Slice(found, func(i, j int) bool {
		if found[i].Path != found[j].Path {
			return found[i].Path < found[j].Path
		}
		return found[i].Line < found[j].Line
	})
	return found
}
