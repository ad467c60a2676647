package cli

import (
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/setup"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// eksKind is the kind of binding that is for one cluster.
const eksKind = "eks"

// serviceTools are AWS's own services, whose clients take something that is made from AWS credentials. Each is set up as the tool
// that is its client; tools are those.
func serviceTools(tools []setupTool) []setupTool {
	as := func(name string) setupTool {
		return tools[slices.IndexFunc(tools, func(t setupTool) bool { return t.name == name })]
	}
	ecr, commit, eks := as("docker"), as("git"), as("kubernetes")
	ecr.name, ecr.kind = "ecr", "ecr"
	commit.name, commit.kind = "codecommit", "codecommit"
	eks.name, eks.kind, eks.hosts, eks.plain = eksKind, eksKind, needsHosts, true
	eks.line = func(w *setupWork, file, program string, _ setup.Host) (setup.Step, error) {
		return setup.InFile(setup.KubeUserOf, file, setup.Want{Name: eksUser(w), Key: setup.ClusterInfo, Program: program, Profile: w.s.Name}), nil
	}
	eks.after = func(w *setupWork) {
		w.hint("kubectl config set-context --current --user=" + profiles.ShellWord(eksUser(w)))
	}
	return []setupTool{ecr, artifactTool(as("pip"), as("pnpm"), as("cargo")), commit, eks}
}

// eksUser is the kubeconfig's user for the clusters that a profile binds. It is not that of setup kubernetes, which knows nothing
// of clusters.
func eksUser(w *setupWork) string { return setup.KubeUser(w.s.Name) + "-eks" }

// artifactTool is CodeArtifact. Which client is meant the path of its repository says, as the service has it: HOST/FORMAT/REPO.
// https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetRepositoryEndpoint.html
func artifactTool(pip, pnpm, cargo setupTool) setupTool {
	clients := map[string]setupTool{"pypi": pip, "npm": pnpm, "cargo": cargo}
	client := func(h setup.Host) (t setupTool, ok bool) {
		format, repository, _ := strings.Cut(strings.TrimPrefix(h.Path, "/"), "/")
		t, ok = clients[format]
		return t, ok && repository != ""
	}
	return setupTool{
		name: "codeartifact", kind: "codeartifact",
		file: "that of pip, pnpm, or Cargo, for HOST/pypi/REPO, HOST/npm/REPO, HOST/cargo/REPO",
		of: func(h setup.Host, profile string) setupTool {
			t, _ := client(h)
			if t.name == pnpm.name { // it does not say which registry it asks for, and this profile has the one
				t.link += "-" + profile
			}
			return t
		},
		refuses: func(h setup.Host) string {
			if _, ok := client(h); !ok {
				return "which tool is meant the repository's path says: HOST/pypi/REPO, HOST/npm/REPO, or HOST/cargo/REPO"
			}
			return ""
		},
		binds: func(h setup.Host) setup.Host { // one token is for all of a domain
			h.Path = ""
			return h
		},
		asks: otherKeyring,
		after: func(w *setupWork) {
			for _, h := range w.hosts {
				switch t, _ := client(h); t.name {
				case pip.name:
					w.warnNotOnPath(pip.link)
					w.say("pip asks where the index has a user: https://aws@%s/simple/", h.Place())
				case pnpm.name:
					w.warnNotShared(h)
				}
			}
		},
	}
}

// warnNotShared is for a tool that does not say which host it asks for.
func (w *setupWork) warnNotShared(h setup.Host) {
	for _, b := range w.profile.Hosts {
		if b.Host != h.Host || b.Port != h.Port {
			w.warn("pnpm does not say which registry it asks for, and profile " + w.s.Name + " binds " + b.Host + ", too: it gets nothing")
			w.hint(programName + " pnpm --help")
			return
		}
	}
}
