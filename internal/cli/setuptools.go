package cli

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/setup"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// hostNeed says whether a tool is set up for hosts.
type hostNeed uint8

const (
	needsHosts hostNeed = iota // a line for each host
	takesHosts                 // one line for all of them
	noHosts                    // a profile is set up
)

// setupTool is a tool that setup knows.
type setupTool struct {
	name  string
	hosts hostNeed
	file  string // as help says it
	link  string // the name that the tool looks for; "" where the line has this program's path
	plain bool   // it knows a host by its exact name, and no path
	kind  string // what a newly bound host gets; "" means the token that --use names
	// of is the tool that asks for a place, where the place says which; nil means this one.
	of func(h setup.Host, profile string) setupTool
	// refuses is why a place cannot be one of the tool's, beside what plain says; "" where it can.
	refuses func(h setup.Host) string
	// binds is the place to bind for a place that is named; nil means the same.
	binds func(h setup.Host) setup.Host
	// place is the file that gets the line.
	place func(w *setupWork) (string, error)
	line  func(w *setupWork, file, program string, h setup.Host) (setup.Step, error)
	// folder is where the link goes; nil means beside this program, or into --dir.
	folder func(w *setupWork) (string, error)
	after  func(w *setupWork)
	// asks is why a person must agree, beside what the steps say; "" for nothing.
	asks func(w *setupWork, steps []setup.Step) string
}

// setupTools is the one list of tools, in the order of help.
func setupTools() []setupTool {
	tools := plainTools()
	return append(tools, serviceTools(tools)...)
}

// plainTools are those that are set up for what they are called.
func plainTools() []setupTool {
	return []setupTool{
		{
			name: "git", file: "~/.gitconfig (GIT_CONFIG_GLOBAL)", link: "git-credential-cognito", place: gitFile,
			line: func(_ *setupWork, file, program string, h setup.Host) (setup.Step, error) {
				return setup.InFile(setup.GitLine, file, setup.Want{Host: h, Program: program}), nil
			},
		},
		{
			name: "docker", file: "~/.docker/config.json (DOCKER_CONFIG)", link: "docker-credential-cognito", plain: true, place: dockerFile,
			line: func(_ *setupWork, file, _ string, h setup.Host) (setup.Step, error) {
				return setup.InFile(setup.DockerLine, file, setup.Want{Host: h}), nil
			},
			after: func(w *setupWork) { w.warnNotOnPath("docker-credential-cognito") },
		},
		{
			name: "terraform", file: "~/.terraformrc (TF_CLI_CONFIG_FILE)", link: "terraform-credentials-cognito", hosts: takesHosts, plain: true, place: terraformFile,
			line: func(_ *setupWork, file, _ string, _ setup.Host) (setup.Step, error) {
				return setup.InFile(setup.Terraform, file, setup.Want{}), nil
			},
			folder: terraformPlugins,
		},
		{
			name: "kubernetes", file: "~/.kube/config (KUBECONFIG)", hosts: noHosts, place: kubeFile,
			line: func(w *setupWork, file, program string, _ setup.Host) (setup.Step, error) {
				return setup.InFile(setup.KubeUserOf, file, setup.Want{Name: setup.KubeUser(w.s.Name), Program: program, Profile: w.s.Name}), nil
			},
			after: func(w *setupWork) {
				w.say("a cluster whose context uses it gets the %s of profile %s: %s", gives("id"), w.s.Name, setup.Reach("id", w.profile))
				w.hint("kubectl config set-context --current --user=" + profiles.ShellWord(setup.KubeUser(w.s.Name)))
			},
		},
		{
			name: "aws", file: "the profile's own file", hosts: noHosts, place: awsFile, line: awsLine,
			after: func(w *setupWork) { w.warnOutranking(w.outrankingProfile(w.s)) },
		},
		{
			name: "go", file: "the file of go env -w (GOENV)", hosts: takesHosts, place: goFile,
			line: func(_ *setupWork, file, program string, _ setup.Host) (setup.Step, error) {
				return setup.InFile(setup.GoLine, file, setup.Want{Program: program}), nil
			},
			after: func(w *setupWork) {
				if w.Getenv("GOAUTH") != "" {
					w.warn("GOAUTH is set, and the go command takes it instead of its file")
					w.hint("unset GOAUTH")
				}
			},
		},
		{
			name: "cargo", file: "~/.cargo/config.toml (CARGO_HOME), at the registry's index", link: "cargo-credential-cognito", place: cargoFile,
			line: func(_ *setupWork, file, program string, h setup.Host) (setup.Step, error) {
				return setup.InFile(setup.CargoLine, file, setup.Want{Host: h, Program: program}), nil
			},
		},
		{
			name: "bazel", file: "~/.bazelrc", link: "bazel-credential-cognito",
			place: func(w *setupWork) (string, error) { return w.inHome(".bazelrc") },
			line: func(_ *setupWork, file, program string, h setup.Host) (setup.Step, error) {
				return setup.InFile(setup.BazelLine, file, setup.Want{Host: h, Program: program}), nil
			},
		},
		{
			name: "pip", file: "pip.conf of the user (PIP_CONFIG_FILE)", link: "keyring", hosts: takesHosts, place: pipFile,
			line: func(_ *setupWork, file, _ string, _ setup.Host) (setup.Step, error) {
				return setup.InFile(setup.PipLine, file, setup.Want{Name: "global", Key: "keyring-provider", Program: "subprocess"}), nil
			},
			asks:  otherKeyring,
			after: func(w *setupWork) { w.warnNotOnPath("keyring") },
		},
		{
			name: "pnpm", file: "~/.npmrc (NPM_CONFIG_USERCONFIG)", link: "pnpm-token-cognito", place: npmFile,
			line: func(_ *setupWork, file, program string, h setup.Host) (setup.Step, error) {
				return setup.InFile(setup.NpmLine, file, setup.Want{Host: h, Program: program}), nil
			},
		},
	}
}

func toolHelp() string {
	var b strings.Builder
	for _, t := range setupTools() {
		b.WriteString("  " + t.name + strings.Repeat(" ", 14-len(t.name)) + t.file + "\n")
	}
	return b.String()
}

func toolOf(c *cobra.Command, args []string) (setupTool, error) {
	var names []string
	for _, t := range setupTools() {
		if len(args) > 0 && t.name == args[0] {
			return t, nil
		}
		names = append(names, t.name)
	}
	if len(args) == 0 {
		return setupTool{}, usageError(c, "setup needs the name of a tool: one of %s", strings.Join(names, ", "))
	}
	return setupTool{}, usageError(c, "setup does not know %q; it knows %s", args[0], strings.Join(names, ", "))
}

// takes says why a host cannot be one of the tool's; "" where it can.
func (t setupTool) takes(h setup.Host) string {
	switch {
	case t.plain && strings.HasPrefix(h.Host, "*."):
		return t.name + " knows a host by its whole name: " + h.Host + " matches nothing there"
	case t.plain && h.Path != "":
		return t.name + " asks for hosts without a path: " + h.Place() + " would never be asked for"
	case t.refuses != nil:
		return t.refuses(h)
	}
	return ""
}

// bound is the place that is bound so that the tool's place gets its credential.
func (t setupTool) bound(h setup.Host) setup.Host {
	if t.binds == nil {
		return h
	}
	return t.binds(h)
}

// steps are the tool's link and its line.
func (w *setupWork) steps(h setup.Host) ([]setup.Step, error) {
	program, err := w.executable()
	if err != nil {
		return nil, err
	}
	tool := w.tool
	if tool.of != nil {
		tool = tool.of(h, w.s.Name)
	}
	file := w.o.file
	if file == "" {
		if file, err = tool.place(w); err != nil {
			return nil, err
		}
	}
	var steps []setup.Step
	if tool.link != "" {
		folder, err := w.linkFolder(tool, program)
		if err != nil {
			return nil, err
		}
		link := setup.LinkTo(filepath.Join(folder, tool.link+exe()), program)
		steps, program = append(steps, link), link.File
	}
	line, err := tool.line(w, file, program, h)
	return append(steps, line), err
}

func (w *setupWork) linkFolder(tool setupTool, program string) (string, error) {
	switch {
	case w.o.dir != "":
		return w.o.dir, nil
	case tool.folder != nil:
		return tool.folder(w)
	default:
		return filepath.Dir(program), nil
	}
}

// warnNotOnPath is for tools that look on PATH.
func (w *setupWork) warnNotOnPath(name string) {
	for _, t := range w.tasks {
		for _, s := range t.Steps {
			if s.Kind != setup.Link || filepath.Base(s.File) != name+exe() {
				continue
			}
			if folder := filepath.Dir(s.File); !slices.Contains(filepath.SplitList(w.Getenv("PATH")), folder) {
				w.warn(w.tool.name + " looks for " + name + " on PATH, and " + folder + " is not there")
			}
			return
		}
	}
}

func (w *setupWork) home() (string, error) {
	name := "HOME"
	if runtime.GOOS == "windows" {
		name = "USERPROFILE"
	}
	if home := w.Getenv(name); filepath.IsAbs(home) {
		return home, nil
	}
	return "", &token.Error{Kind: token.BadProfile, Message: name + " names no home folder", Next: "give the file to write with --file"}
}

// inHome is a file below the home folder.
func (w *setupWork) inHome(parts ...string) (string, error) {
	home, err := w.home()
	return filepath.Join(append([]string{home}, parts...)...), err
}

func gitFile(w *setupWork) (string, error) {
	if file := w.Getenv("GIT_CONFIG_GLOBAL"); file != "" {
		return file, nil
	}
	file, err := w.inHome(".gitconfig")
	if err != nil || present(file) {
		return file, err
	}
	other := filepath.Join(w.Getenv("XDG_CONFIG_HOME"), "git", "config")
	if w.Getenv("XDG_CONFIG_HOME") == "" {
		other, _ = w.inHome(".config", "git", "config")
	}
	if present(other) {
		return other, nil
	}
	return file, nil
}

func present(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func dockerFile(w *setupWork) (string, error) {
	if folder := w.Getenv("DOCKER_CONFIG"); folder != "" {
		return filepath.Join(folder, "config.json"), nil
	}
	return w.inHome(".docker", "config.json")
}

func terraformFile(w *setupWork) (string, error) {
	switch file := w.Getenv("TF_CLI_CONFIG_FILE"); {
	case file != "":
		return file, nil
	case runtime.GOOS == "windows":
		return filepath.Join(w.Getenv("APPDATA"), "terraform.rc"), nil
	default:
		return w.inHome(".terraformrc")
	}
}

func terraformPlugins(w *setupWork) (string, error) {
	if runtime.GOOS == "windows" {
		return filepath.Join(w.Getenv("APPDATA"), "terraform.d", "plugins"), nil
	}
	return w.inHome(".terraform.d", "plugins")
}

// kubeFile is the first of KUBECONFIG's files, of which kubectl takes the first value.
func kubeFile(w *setupWork) (string, error) {
	for _, file := range filepath.SplitList(w.Getenv("KUBECONFIG")) {
		if file != "" {
			return file, nil
		}
	}
	return w.inHome(".kube", "config")
}

func goFile(w *setupWork) (string, error) {
	switch file := w.Getenv("GOENV"); {
	case file == "off":
		return "", &token.Error{Kind: token.BadProfile, Message: "GOENV is off, so that the go command reads no file of settings", Next: "unset GOENV"}
	case file != "":
		return file, nil
	case runtime.GOOS == "windows":
		return filepath.Join(w.Getenv("APPDATA"), "go", "env"), nil
	case runtime.GOOS == "darwin":
		return w.inHome("Library", "Application Support", "go", "env")
	}
	if folder := w.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(folder) {
		return filepath.Join(folder, "go", "env"), nil
	}
	return w.inHome(".config", "go", "env")
}

// awsFile is where the profile has its credential_process, or its way to AWS credentials.
func awsFile(w *setupWork) (string, error) {
	file, _, err := w.awsPlace()
	return file, err
}

func (w *setupWork) awsPlace() (file, section string, err error) {
	keys, err := w.profileKeys(w.s)
	if err != nil {
		return "", "", w.badProfile(err)
	}
	for _, name := range []string{"credential_process", "cognito_identity_pool_id", "cognito_role_arn", "cognito_user_pool_id"} {
		if i := slices.IndexFunc(keys, func(k placedKey) bool { return k.name == name }); i >= 0 {
			return keys[i].file, keys[i].section, nil
		}
	}
	return "", "", &token.Error{Kind: token.BadProfile, Message: "profile " + w.s.Name + " stands in no file that can be written", Next: programName + " configure --help"}
}

// leadsToAWS is why a profile has no AWS credentials; nil where it has some, or nothing is asked of it.
func (w *setupWork) leadsToAWS() error {
	if w.profile.IdentityFlow != "" || w.o.undo {
		return nil
	}
	return &token.Error{
		Kind:    token.BadProfile,
		Message: "profile " + w.s.Name + " leads to no AWS credentials: it has neither an identity pool nor a role",
		Next:    command("configure", w.s, "") + " --identity-pool-id ID",
	}
}

func awsLine(w *setupWork, file, program string, _ setup.Host) (setup.Step, error) {
	if err := w.leadsToAWS(); err != nil {
		return setup.Step{}, err
	}
	_, section, err := w.awsPlace()
	if err != nil {
		return setup.Step{}, err
	}
	line := w.credLine(program, w.s.Name)
	if strings.ContainsAny(line, "\r\n") {
		return setup.Step{}, errors.New("the path of this program has a line break")
	}
	return setup.InFile(setup.AWSLine, file, setup.Want{Name: section, Key: "credential_process", Program: line}), nil
}

// otherKeyring is why a person must agree to another program of the name that pip looks for.
func otherKeyring(w *setupWork, steps []setup.Step) string {
	program, err := w.executable()
	for _, s := range steps {
		if err != nil || s.Kind != setup.Link || s.Standing || filepath.Base(s.File) != "keyring"+exe() {
			continue
		}
		if other := nextOnPath("keyring"+exe(), w.Getenv("PATH"), []string{program, s.File}); other != "" {
			return other + " is on PATH already; ours hands on to it whatever no profile binds"
		}
	}
	return ""
}

func cargoFile(w *setupWork) (string, error) {
	if folder := w.Getenv("CARGO_HOME"); folder != "" {
		return filepath.Join(folder, "config.toml"), nil
	}
	return w.inHome(".cargo", "config.toml")
}

func npmFile(w *setupWork) (string, error) {
	for _, name := range []string{"NPM_CONFIG_USERCONFIG", "npm_config_userconfig"} {
		if file := w.Getenv(name); file != "" {
			return file, nil
		}
	}
	return w.inHome(".npmrc")
}

func pipFile(w *setupWork) (string, error) {
	switch file := w.Getenv("PIP_CONFIG_FILE"); {
	case file != "":
		return file, nil
	case runtime.GOOS == "windows":
		return filepath.Join(w.Getenv("APPDATA"), "pip", "pip.ini"), nil
	case runtime.GOOS == "darwin":
		if folder, err := w.inHome("Library", "Application Support", "pip"); err == nil && present(folder) {
			return filepath.Join(folder, "pip.conf"), nil
		}
	}
	if folder := w.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(folder) && runtime.GOOS != "darwin" {
		return filepath.Join(folder, "pip", "pip.conf"), nil
	}
	return w.inHome(".config", "pip", "pip.conf")
}
