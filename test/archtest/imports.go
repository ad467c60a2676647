package archtest

import (
	"fmt"
	"strings"
)

// tools are the folders of programs and tests that nothing else imports; they may import what they like.
var tools = []string{"test/...", "bench/...", "examples/..."}

// leaves are what every package below internal may import: the vocabulary, and leaves without a decision in them.
var leaves = []string{"internal/token", "internal/safetext", "internal/clock"}

// layers says what of this module each package may import, beside the leaves. It is the picture of the layout in
// docs/architecture.md: imports go strictly downwards. A key "x/*" means each folder right below x that has no line of its own.
var layers = map[string][]string{
	"cmd/cognito-credhelper":        {"internal/cli"},
	"cmd/cognito-credhelper-front":  {"internal/front"},
	"cmd/cognito-credhelper-worker": {"internal/worker"},
	"cmd/cognito-sandbox":           {"internal/sandbox/..."},

	"internal/front": {
		"internal/protocol", "internal/protocol/all", "profiles", "internal/profileindex", "internal/tokencache", "internal/keyslot",
		"internal/filelock", "internal/handover", "internal/statefolder", "internal/version", "internal/protect",
		"internal/detach", "internal/protocol/jsonstring", // it starts the worker
	},
	// The composition root of the small worker, and what the complete program builds in just the same way.
	"internal/worker": {
		"internal/awscreds", "internal/tokensource", "internal/cognito", "internal/refresh", "internal/detach", "internal/tokencache", "internal/keyslot/...", "internal/history",
		"internal/statefolder", "internal/version", "internal/transport", "internal/protect", "profiles", "profiles/inifile", "profiles/netsdk",
	},
	// The composition root of the complete program: it builds each part and gives it to the next, the user-pool client to
	// tokensource. challenge has the words that prompt answers in.
	"internal/cli": {
		"internal/protocol", "internal/protocol/...", "internal/setup", "internal/worker", "internal/awscreds", "internal/awscreds/registries", "internal/tokensource", "internal/cognito", "internal/refresh", "internal/detach",
		"internal/tokencache", "internal/keyslot/...", "internal/filelock", "internal/atomicfile", "internal/profileindex", "internal/prompt", "internal/challenge",
		"internal/history", "internal/srpstate",
		"internal/handover", "internal/statefolder", "internal/version", "internal/transport", "internal/protect", "profiles", "profiles/inifile", "profiles/netsdk",
		"plugin", "host", // one serves, the other records where the program is
	},

	"internal/protocol":              {"profiles"},
	"internal/protocol/flags":        {"internal/protocol", "profiles"},
	"internal/protocol/jsonstring":   {},
	"internal/protocol/jsonobject":   {},
	"internal/protocol/all":          {"internal/protocol", "internal/protocol/*"},
	"internal/protocol/pluginserver": {"internal/protocol", "internal/protocol/flags", "internal/protocol/jsonstring", "internal/protocol/jsonobject", "internal/challenge", "profiles", "plugin"},
	// It tells its version.
	"internal/protocol/dockercredential": {"internal/protocol", "internal/protocol/flags", "internal/protocol/jsonstring", "internal/protocol/jsonobject", "profiles", "internal/version"},
	"internal/protocol/*":                {"internal/protocol", "internal/protocol/flags", "internal/protocol/jsonstring", "internal/protocol/jsonobject", "profiles"},
	// What an adapter can do in the complete program only lies below the adapter: cli gives it in.
	"internal/protocol/printtoken/claims": {},

	"internal/setup":   {"profiles", "profiles/inifile", "internal/atomicfile"},
	"internal/refresh": {"internal/detach"},
	"internal/detach":  {},
	"internal/awscreds": {
		"internal/tokensource", "internal/tokencache", "profiles",
	},
	// What only the complete program can afford to link.
	"internal/awscreds/registries": {"internal/awscreds"},
	"internal/tokensource": {
		"internal/cognito", "internal/tokencache", "internal/keyslot", "internal/prompt", "internal/challenge", "profiles",
	},
	"internal/cognito":      {"internal/cognito/srp", "internal/challenge", "internal/transport"},
	"internal/cognito/srp":  {},
	"internal/prompt":       {"internal/challenge"},
	"internal/challenge":    {},
	"internal/profileindex": {"profiles", "internal/atomicfile"},
	"internal/history":      {"internal/filelock", "internal/atomicfile"},
	// What a sign-in in two processes must remember between them.
	"internal/srpstate":    {"internal/cognito/srp", "internal/keyslot", "internal/atomicfile", "profiles"},
	"internal/tokencache":  {"internal/keyslot", "internal/filelock", "internal/atomicfile"},
	"internal/keyslot":     {"internal/filelock", "internal/atomicfile"},
	"internal/keyslot/*":   {"internal/keyslot"},
	"internal/filelock":    {"internal/atomicfile"}, // its rules for private files and folders
	"internal/atomicfile":  {},
	"internal/handover":    {"internal/version"},
	"internal/statefolder": {},
	"internal/transport":   {},
	"internal/protect":     {},
	"internal/safetext":    {},
	"internal/clock":       {},
	"internal/token":       {},
	"internal/version":     {},

	// The fake AWS shares nothing with the program that it tests, so that one mistake cannot hide in both.
	"internal/sandbox":   {"internal/sandbox/..."},
	"internal/sandbox/*": {"internal/sandbox/..."},

	"profiles":         {},
	"profiles/inifile": {"profiles", "profiles/netsdk"},
	"profiles/netsdk":  {"profiles"},
	"plugin":           {"plugin/proto/v1"},
	"plugin/proto/*":   {},
	"plugin/*":         {"plugin"},
	"host":             {"plugin"},
	"host/*":           {"host", "plugin"},
}

// noLeaves are the packages that may not import the leaves either: the leaf of all leaves, and what stands alone.
var noLeaves = []string{"internal/token", "internal/safetext", "internal/version", "internal/sandbox/...", "internal/cognito/srp"}

// Directions holds the import directions. Tests may import what they need: they are linked into nothing.
func Directions(table map[string][]string) Rule {
	return Rule{"imports go strictly downwards", func(files []File) []Finding {
		var found []Finding
		for _, f := range files {
			if f.Test || within(f.Package, tools) {
				continue
			}
			allowed, listed := layer(table, f.Package)
			if !listed {
				found = append(found, f.finding(f.AST.Package, fmt.Sprintf("package %s has no place among the layers: give it a line in test/archtest/imports.go", f.Package)))
				continue
			}
			for _, s := range f.imports() {
				own, mine := s.own()
				if mine && !mayImport(f.Package, own, allowed) {
					found = append(found, f.finding(s.spec.Pos(), fmt.Sprintf("%s may not import %s; it may import %s", f.Package, own, orNothing(allowed))))
				}
			}
		}
		return found
	}}
}

// layer finds the line of a package: its own, else that of its siblings.
func layer(table map[string][]string, folder string) ([]string, bool) {
	if allowed, ok := table[folder]; ok {
		return allowed, true
	}
	i := strings.LastIndexByte(folder, '/')
	if i < 0 {
		return nil, false
	}
	allowed, ok := table[folder[:i]+"/*"]
	return allowed, ok
}

func mayImport(from, to string, allowed []string) bool {
	if strings.HasPrefix(from, "internal/") && !within(from, noLeaves) && within(to, leaves) && from != to {
		return true
	}
	for _, a := range allowed {
		if parent, ok := strings.CutSuffix(a, "/*"); ok {
			rest, below := strings.CutPrefix(to, parent+"/")
			if below && !strings.Contains(rest, "/") {
				return true
			}
			continue
		}
		if within(to, []string{a}) {
			return true
		}
	}
	return false
}

func orNothing(allowed []string) string {
	if len(allowed) == 0 {
		return "nothing but the leaves"
	}
	return strings.Join(allowed, ", ")
}

// Public keeps what other modules import free of internal packages: what they cannot import must not be in their hands.
func Public() Rule {
	return Rule{"public packages import nothing of internal/", func(files []File) []Finding {
		var found []Finding
		for _, f := range files {
			if f.Test || f.AST.Name.Name == "main" || within(f.Package, append([]string{"internal/...", "cmd/..."}, tools...)) {
				continue
			}
			for _, s := range f.imports() {
				if own, mine := s.own(); mine && strings.HasPrefix(own, "internal/") {
					found = append(found, f.finding(s.spec.Pos(), fmt.Sprintf("%s is public and may not import %s", f.Package, own)))
				}
			}
		}
		return found
	}}
}

// Independent keeps the sandbox, its tests too, free of the code that it is there to test.
func Independent() Rule {
	const reason = "the sandbox has its own side of everything, so that one mistake cannot hide in both: it may not import "
	return Rule{"the sandbox shares nothing with the user-pool client", func(files []File) []Finding {
		var found []Finding
		for _, f := range files {
			if !within(f.Package, []string{"internal/sandbox/...", "cmd/cognito-sandbox"}) {
				continue
			}
			for _, s := range f.imports() {
				own, mine := s.own()
				if mine && within(own, []string{"internal/cognito/..."}) || strings.HasPrefix(s.path, awsServices) {
					found = append(found, f.finding(s.spec.Pos(), reason+s.path))
				}
			}
		}
		return found
	}}
}

const awsServices = "github.com/aws/aws-sdk-go-v2/service/"

// Confined is a third party that may appear in a few packages only.
type Confined struct {
	Prefix string   // import path, or its beginning when it ends in a slash
	Except string   // beginning that this line does not mean
	Places []string // folders that may import it
	Reason string
}

// confined is the table of third parties. A module that is no dependency yet has its line already: the place is decided.
var confined = []Confined{
	{"gopkg.in/ini.v1", "", []string{"profiles/inifile"}, "the profiles package has no third party, since the front links it"},
	{awsServices + "cognitoidentityprovider", "", []string{"internal/cognito"}, "one package speaks to the user pool"},
	{awsServices, awsServices + "cognitoidentityprovider", []string{"internal/awscreds", "internal/awscreds/registries"}, "one package turns an ID token into AWS credentials"},
	{"github.com/spf13/cobra", "", []string{"internal/cli"}, "commands are built in one place"},
	{"github.com/spf13/pflag", "", []string{"internal/cli"}, "commands are built in one place"},
	{"github.com/hashicorp/", "", []string{"plugin", "host"}, "the wire of the plugin has two ends"},
	{"google.golang.org/", "", []string{"plugin/...", "host", "host/grpcauth"}, "nobody but the wire of the plugin sees its types"},
	{"github.com/zalando/go-keyring", "", []string{"internal/keyslot/secretservice", "internal/keyslot/keychain"}, "what needs D-Bus or a program stays out of the front"},
	{"github.com/godbus/dbus", "", []string{"internal/keyslot/secretservice"}, "what needs D-Bus stays out of the front"},
	{"golang.org/x/term", "", []string{"internal/prompt"}, "one package asks questions on the terminal"},
	{"rsc.io/qr", "", []string{"internal/prompt"}, "one package shows things on the terminal"},
	{"github.com/charmbracelet/", "", []string{"internal/cli"}, "the wizard is part of the commands"},
}

// Confinement holds the table of third parties. Tests are free: they are linked into nothing.
func Confinement(table []Confined) Rule {
	return Rule{"third parties stay in their place", func(files []File) []Finding {
		var found []Finding
		for _, f := range files {
			if f.Test || within(f.Package, tools) {
				continue
			}
			for _, s := range f.imports() {
				for _, c := range table {
					if c.means(s.path) && !within(f.Package, c.Places) {
						found = append(found, f.finding(s.spec.Pos(), fmt.Sprintf("%s belongs in %s only: %s", s.path, strings.Join(c.Places, " and "), c.Reason)))
					}
				}
			}
		}
		return found
	}}
}

func (c Confined) means(p string) bool {
	if c.Except != "" && strings.HasPrefix(p, c.Except) {
		return false
	}
	if strings.HasSuffix(c.Prefix, "/") {
		return strings.HasPrefix(p, c.Prefix)
	}
	return p == c.Prefix || strings.HasPrefix(p, c.Prefix+"/")
}
