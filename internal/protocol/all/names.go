package all

import (
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
)

// Invocation is what a command line asks for.
type Invocation struct {
	Verb    string   // machine verb or human command; "" when there is none
	Profile string   // from the suffix of the program's name; "" without one
	Args    []string // after the verb
}

// helper is a name that a host finds us by.
type helper struct {
	name     string
	verb     string
	suffixed bool // NAME-PROFILE restricts the helper to that profile, for hosts that pass no arguments
}

// helpers is never written to.
var helpers = []helper{
	{"git-credential-cognito", "git", false},
	{"docker-credential-cognito", "docker", true},
	{"terraform-credentials-cognito", "terraform", false},
	{"cargo-credential-cognito", "cargo", false},
	{"bazel-credential-cognito", "bazel", true},
	{"pnpm-token-cognito", "pnpm", true},
	{"keyring", "keyring", false}, // pip and uv look for no other name
}

// cargoPlugin is all that Cargo puts on the command line of a provider that its configuration names by path.
const cargoPlugin = "--cargo-plugin"

// Invoked reads a command line: by a helper's name the verb is fixed and every argument is the protocol's; by any other
// name the first argument is the verb. A first argument that is a flag leaves the verb empty.
func Invoked(argv []string) Invocation {
	if len(argv) == 0 {
		return Invocation{}
	}
	name := base(argv[0])
	for _, h := range helpers {
		rest, ok := strings.CutPrefix(name, h.name)
		if !ok {
			continue
		}
		if rest == "" {
			return Invocation{Verb: h.verb, Args: argv[1:]}
		}
		if h.suffixed && len(rest) > 1 && rest[0] == '-' {
			return Invocation{Verb: h.verb, Profile: rest[1:], Args: argv[1:]}
		}
	}
	if len(argv) == 2 && argv[1] == cargoPlugin {
		return Invocation{Verb: "cargo", Args: argv[1:]}
	}
	if len(argv) < 2 || strings.HasPrefix(argv[1], "-") {
		return Invocation{Args: argv[1:]}
	}
	return Invocation{Verb: argv[1], Args: argv[2:]}
}

// base is the program's name without folder, and without .exe. Both kinds of slash count everywhere: no name of ours has one.
func base(path string) string {
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	if n := len(name) - len(".exe"); n > 0 && strings.EqualFold(name[n:], ".exe") {
		name = name[:n]
	}
	return name
}

// Find gives the adapter of a verb.
func Find(adapters []protocol.Adapter, verb string) (a protocol.Adapter, ok bool) {
	for _, a := range adapters {
		if a.Verb == verb {
			return a, true
		}
	}
	return protocol.Adapter{}, false
}
