package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Denied is a package that a program must not link, on any platform.
type Denied struct {
	Path   string // import path; everything below it is meant too when Tree is set
	Tree   bool
	Reason string
	Module string // the module that has it, "" for the standard library
	NotYet bool   // the module is no dependency of this build yet
}

const (
	weight    = "weight: a warm answer must cost about what a bare process costs"
	slowStart = "weight: a hundred callers of an expired session wait for the worker's start"
	network   = "the front has no network: what needs one is handed over"
)

// denied is the front's deny-list.
var denied = []Denied{
	{Path: "net", Reason: network},
	{Path: "net/http", Tree: true, Reason: network},
	{Path: "crypto/tls", Tree: true, Reason: network},
	{Path: "crypto/x509", Tree: true, Reason: network},
	{Path: "os/exec", Reason: "the front becomes or starts the complete program by one system call and starts nothing else"},
	{Path: "fmt", Reason: weight},
	{Path: "encoding/json", Tree: true, Reason: weight},
	{Path: "encoding/gob", Reason: weight},
	{Path: "encoding/xml", Reason: weight},
	{Path: "log", Tree: true, Reason: weight},
	{Path: "flag", Reason: weight},
	{Path: "regexp", Tree: true, Reason: weight},
	{Path: "text/template", Tree: true, Reason: weight},
	{Path: "testing", Tree: true, Reason: "test code has no place in a program"},
	{Path: "gopkg.in/ini.v1", Tree: true, Module: "gopkg.in/ini.v1", Reason: "profiles are read by the complete program; the front reads its index"},
	{Path: "github.com/aws", Tree: true, Module: "github.com/aws/aws-sdk-go-v2", Reason: network},
	{Path: "github.com/spf13/cobra", Tree: true, Module: "github.com/spf13/cobra", Reason: weight},
	{Path: "github.com/spf13/pflag", Tree: true, Module: "github.com/spf13/pflag", Reason: weight},
	{Path: "google.golang.org/grpc", Tree: true, Module: "google.golang.org/grpc", Reason: network},
	{Path: "google.golang.org/protobuf", Tree: true, Module: "google.golang.org/protobuf", Reason: weight},
	{Path: "github.com/hashicorp/go-plugin", Tree: true, Module: "github.com/hashicorp/go-plugin", Reason: network},
	{Path: "github.com/zalando/go-keyring", Tree: true, Module: "github.com/zalando/go-keyring", Reason: "no D-Bus on the warm path"},
	{Path: "github.com/godbus/dbus", Tree: true, Module: "github.com/godbus/dbus/v5", Reason: "no D-Bus on the warm path"},
}

// small is the worker's deny-list: what the complete program has beside a renewal is what makes its start slow.
var small = []Denied{
	{Path: "text/template", Tree: true, Reason: slowStart},
	{Path: "html/template", Tree: true, Reason: slowStart},
	{Path: "encoding/gob", Reason: slowStart},
	{Path: "github.com/spf13/cobra", Tree: true, Module: "github.com/spf13/cobra", Reason: slowStart},
	{Path: "google.golang.org/grpc", Tree: true, Module: "google.golang.org/grpc", Reason: slowStart},
	{Path: "google.golang.org/protobuf", Tree: true, Module: "google.golang.org/protobuf", Reason: slowStart},
	{Path: "github.com/hashicorp/go-plugin", Tree: true, Module: "github.com/hashicorp/go-plugin", Reason: slowStart},
	{Path: awsServices + "ecr", Tree: true, Module: awsServices + "ecr", Reason: slowStart},
	{Path: awsServices + "codeartifact", Tree: true, Module: awsServices + "codeartifact", Reason: slowStart},
}

// Dep is one package of a dependency list, as go list -deps -json prints it.
type Dep struct {
	ImportPath string
	Imports    []string
}

// passed is what the front may link whatever comes with it: on Windows and macOS x/sys itself imports fmt, on Windows net
// too. On Linux, where the front's time is measured, nothing comes with it, and nothing is passed.
var passed = map[string][]string{
	"darwin":  {"golang.org/x/sys/unix"},
	"windows": {"golang.org/x/sys/windows"},
}

// Deny says which denied packages root links, each with the chain of imports that brought it in. files place the finding
// at the import of ours that leaves this module. What only packages in pass import is not looked at.
func Deny(root string, deps []Dep, table []Denied, pass []string, files []File) []Finding {
	chains := chainsFrom(root, deps, pass)
	role := strings.TrimPrefix(path.Base(root), "cognito-credhelper-")
	var found []Finding
	for _, d := range deps {
		if chains[d.ImportPath] == nil {
			continue
		}
		for _, no := range table {
			if d.ImportPath == no.Path || no.Tree && strings.HasPrefix(d.ImportPath, no.Path+"/") {
				chain := chains[d.ImportPath]
				f := placeOf(chain, files)
				f.Reason = fmt.Sprintf("the %s must not link %s (%s): %s", role, d.ImportPath, no.Reason, strings.Join(shortened(chain), " → "))
				found = append(found, f)
			}
		}
	}
	return found
}

// chainsFrom gives a shortest chain of imports from root to each package that is reached without the imports of pass.
func chainsFrom(root string, deps []Dep, pass []string) map[string][]string {
	imports := make(map[string][]string, len(deps))
	for _, d := range deps {
		if !slices.Contains(pass, d.ImportPath) {
			imports[d.ImportPath] = d.Imports
		}
	}
	chains := map[string][]string{root: {root}}
	for queue := []string{root}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, next := range imports[at] {
			if _, seen := chains[next]; !seen {
				chains[next] = append(append([]string(nil), chains[at]...), next)
				queue = append(queue, next)
			}
		}
	}
	return chains
}

// placeOf finds the import statement by which the chain leaves this module.
func placeOf(chain []string, files []File) Finding {
	for i := 0; i+1 < len(chain); i++ {
		if strings.HasPrefix(chain[i+1], Module+"/") {
			continue
		}
		folder := strings.TrimPrefix(chain[i], Module+"/")
		for _, f := range files {
			if f.Package != folder || f.Test {
				continue
			}
			for _, s := range f.imports() {
				if s.path == chain[i+1] {
					return f.finding(s.spec.Pos(), "")
				}
			}
		}
		return Finding{Path: folder}
	}
	return Finding{Path: strings.TrimPrefix(chain[0], Module+"/")}
}

func shortened(chain []string) []string {
	short := make([]string, len(chain))
	for i, p := range chain {
		short[i] = strings.TrimPrefix(p, Module+"/")
	}
	return short
}

// Stale says which lines of the deny-list name what no longer exists: such a line forbids nothing. std lists the standard
// packages, required the modules of go.mod.
func Stale(table []Denied, std, required map[string]bool) []Finding {
	var found []Finding
	for _, d := range table {
		reason := ""
		switch {
		case d.Module == "" && !std[d.Path]:
			reason = fmt.Sprintf("the deny-list names %s, which is no package of the standard library", d.Path)
		case d.Module != "" && !d.NotYet && !required[d.Module]:
			reason = fmt.Sprintf("the deny-list names %s, but go.mod no longer requires %s: drop the line, or mark it NotYet", d.Path, d.Module)
		case d.NotYet && required[d.Module]:
			reason = fmt.Sprintf("go.mod requires %s now: drop NotYet from its line", d.Module)
		default:
			continue
		}
		found = append(found, Finding{Path: "test/archtest/front.go", Reason: reason})
	}
	return found
}
