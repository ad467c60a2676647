package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"sort"
	"strings"
)

// uses is a rule about selecting names of a standard package: which names, and where they may be used.
type uses struct {
	rule   string
	std    string
	names  []string
	places []string
	mains  bool // every package main may, too
	reason string
}

var (
	streams = uses{
		rule: "standard streams have few hands", std: "os", names: []string{"Stdin", "Stdout", "Stderr"},
		places: append([]string{
			"internal/front", "internal/cli", "internal/prompt", "cmd/...",
			"internal/refresh", // the worker's wire: its request comes on descriptor 0
			"plugin",           // go-plugin writes its handshake to standard output: does anybody read it?
		}, tools...),
		reason: "only front, cli, prompt, and the mains touch standard input, output, and error: give the reader or writer in",
	}
	environment = uses{
		rule: "the environment is read in two places", std: "os",
		names: []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv", "Unsetenv", "Clearenv", "UserHomeDir", "UserConfigDir", "UserCacheDir"},
		places: append([]string{
			"internal/front", "internal/cli", "cmd/...",
			"plugin", "host/...", "internal/refresh", "internal/handover", // a handshake, and a child's environment
		}, tools...),
		reason: "only front and cli read the environment: give the value in",
	}
	rawEnvironment = uses{
		rule: "the environment is read in two places, by no side door", std: "syscall",
		names:  []string{"Getenv", "Environ", "Setenv", "Unsetenv", "Clearenv"},
		places: environment.places, reason: environment.reason,
	}
	// Promise P9 stands on these: a profile's text gets nowhere near what starts a program.
	programs = uses{
		rule: "few start programs", std: "os/exec", names: []string{"Command", "CommandContext", "Cmd"},
		places: append([]string{
			"internal/cli", "internal/prompt", // what the command line names: exec, the next keyring, --mfa-process
			"host", // the plugin
		}, tools...),
		reason: "only cli, prompt, and host start programs, which the command line or the host names",
	}
	processes = uses{
		rule: "few start programs, by no side door", std: "os", names: []string{"StartProcess"},
		places: append([]string{"internal/detach", "internal/front"}, tools...), // ourselves
		reason: programs.reason,
	}
	replacements = uses{
		rule: "few start programs, by no other side door", std: "syscall", names: []string{"Exec", "ForkExec", "StartProcess", "CreateProcess"},
		places: append([]string{"internal/cli", "internal/front"}, tools...),
		reason: programs.reason,
	}
	exits = uses{
		rule: "a process ends in main", std: "os", names: []string{"Exit"}, mains: true,
		reason: "os.Exit only in package main: return the exit code",
	}
	fatals = uses{
		rule: "a process ends in main, by no side door", std: "log",
		names:  []string{"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln"},
		places: tools,
		reason: "log.Fatal and log.Panic end the process: return an error",
	}
)

// Rule makes the check. Test files are free, and so is generated code.
func (u uses) Rule() Rule {
	return Rule{u.rule, func(files []File) []Finding {
		var found []Finding
		for _, f := range files {
			free := f.Test || f.Generated || within(f.Package, u.places) || u.mains && f.AST.Name.Name == "main"
			local := f.localName(u.std)
			if free || local == "" {
				continue
			}
			ast.Inspect(f.AST, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == local && contains(u.names, sel.Sel.Name) {
					found = append(found, f.finding(sel.Pos(), u.std+"."+sel.Sel.Name+": "+u.reason))
				}
				return true
			})
		}
		return found
	}}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// NoInit forbids init functions: what runs before main cannot be given anything, and costs every start.
func NoInit() Rule {
	return Rule{"no init functions", func(files []File) []Finding {
		var found []Finding
		for _, f := range files {
			if f.Generated {
				continue
			}
			for _, d := range f.AST.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					found = append(found, f.finding(fn.Pos(), "no init(): build it where it is used and pass it on"))
				}
			}
		}
		return found
	}}
}

// Documented asks each package for a comment that starts as gofmt's readers expect.
func Documented() Rule {
	return Rule{"every package has a comment", func(files []File) []Finding {
		first, said := map[string]File{}, map[string]bool{}
		for _, f := range files {
			if f.Test {
				continue
			}
			if _, seen := first[f.Package]; !seen {
				first[f.Package] = f
			}
			doc := f.AST.Doc.Text()
			if f.AST.Name.Name == "main" && doc != "" || strings.HasPrefix(doc, "Package "+f.AST.Name.Name+" ") {
				said[f.Package] = true
			}
		}
		var found []Finding
		for folder, f := range first {
			if !said[folder] {
				found = append(found, f.finding(f.AST.Package, "package "+f.AST.Name.Name+" needs a comment: what it is, what it guarantees, what it never does"))
			}
		}
		return sortFindings(found)
	}}
}

// PlainNames forbids package names that say nothing.
func PlainNames() Rule {
	empty := []string{"util", "utils", "common", "helper", "helpers", "manager", "types", "base", "misc", "shared", "lib"}
	return Rule{"package names say something", func(files []File) []Finding {
		var found []Finding
		for _, f := range files {
			if contains(empty, strings.TrimSuffix(f.AST.Name.Name, "_test")) {
				found = append(found, f.finding(f.AST.Name.Pos(), "package name "+f.AST.Name.Name+" does not say what is in it"))
			}
		}
		return found
	}}
}

// Constant forbids package variables that change: exported ones that anybody could assign to, ones that a function
// assigns to, and ones whose type exists to be changed. It looks at names, not types, so it is close but not exact: an
// address taken, or a method that changes its receiver, passes.
func Constant() Rule {
	return Rule{"no mutable package variables", func(files []File) []Finding {
		var found []Finding
		for _, group := range byPackage(files) {
			vars := map[string]*ast.Ident{}
			for _, f := range group {
				for _, v := range packageVars(f) {
					vars[v.ident.Name] = v.ident
					if reason := v.fault(f); reason != "" {
						found = append(found, f.finding(v.ident.Pos(), reason))
					}
				}
			}
			for _, f := range group {
				found = append(found, assigned(f, vars)...)
			}
		}
		return sortFindings(found)
	}}
}

func byPackage(files []File) map[string][]File {
	groups := map[string][]File{}
	for _, f := range files {
		if !f.Test && !f.Generated && !within(f.Package, tools) {
			groups[f.Package] = append(groups[f.Package], f)
		}
	}
	return groups
}

type packageVar struct {
	ident *ast.Ident
	typ   ast.Expr
}

func packageVars(f File) []packageVar {
	var vars []packageVar
	for _, d := range f.AST.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, s := range gen.Specs {
			spec := s.(*ast.ValueSpec)
			for _, name := range spec.Names {
				if name.Name != "_" {
					vars = append(vars, packageVar{name, spec.Type})
				}
			}
		}
	}
	return vars
}

func (v packageVar) fault(f File) string {
	if v.ident.IsExported() && !strings.HasPrefix(v.ident.Name, "Err") {
		return "exported variable " + v.ident.Name + ": anybody could assign to it; make it a function or a constant"
	}
	typ := v.typ
	if g, ok := typ.(*ast.IndexExpr); ok { // atomic.Pointer[T]
		typ = g.X
	}
	sel, ok := typ.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	for _, std := range []string{"sync", "sync/atomic"} {
		if local := f.localName(std); local != "" && x.Name == local {
			return fmt.Sprintf("package variable %s of type %s.%s is state of the whole process: put it into a type", v.ident.Name, std, sel.Sel.Name)
		}
	}
	return ""
}

// assigned finds assignments to package variables inside functions.
func assigned(f File, vars map[string]*ast.Ident) []Finding {
	var found []Finding
	look := func(target ast.Expr) {
		id := rootIdent(target)
		if id == nil || vars[id.Name] == nil || shadowed(f, id) {
			return
		}
		found = append(found, f.finding(target.Pos(), "package variable "+id.Name+" is assigned to: package variables never change"))
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, l := range n.Lhs {
					look(l)
				}
			}
		case *ast.IncDecStmt:
			look(n.X)
		}
		return true
	})
	return found
}

// rootIdent is x of x, x.f, x[i], *x, and of what these are nested in.
func rootIdent(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// shadowed says whether id means something declared inside a function. The parser resolves names of the same file:
// unresolved means another file of the package, which is what a package variable may be.
func shadowed(f File, id *ast.Ident) bool {
	if id.Obj == nil {
		return false
	}
	for _, v := range packageVars(f) {
		if v.ident.Obj == id.Obj {
			return false
		}
	}
	return true
}

// Replace finds replace directives in a go.mod: with one, what others install is not what was tested.
func Replace(p string, src []byte) []Finding {
	var found []Finding
	block := false
	for i, line := range strings.Split(string(src), "\n") {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "replace":
			block = len(words) > 1 && words[1] == "("
			if !block {
				found = append(found, Finding{p, i + 1, "no replace directives: what others install must be what we test"})
			}
		case block && words[0] == ")":
			block = false
		case block:
			found = append(found, Finding{p, i + 1, "no replace directives: what others install must be what we test"})
		}
	}
	return found
}

// Rules is the whole list over source files.
func Rules() []Rule {
	rules := []Rule{Directions(layers), Public(), Independent(), Confinement(confined), NoInit(), Documented(), PlainNames(), Constant()}
	for _, u := range []uses{streams, environment, rawEnvironment, programs, processes, replacements, exits, fatals} {
		rules = append(rules, u.Rule())
	}
	sort.SliceStable(rules, func(i, j int) bool { return rules[i].Name < rules[j].Name })
	return rules
}
