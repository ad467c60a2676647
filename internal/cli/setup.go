package cli

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/setup"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// setupOptions is what the command line of setup says.
type setupOptions struct {
	profile, use, dir, file string
	cluster                 string
	undo, unbind            bool
	print, force, asJSON    bool
}

func (p *program) setupCommand() *cobra.Command { return newSetup(p, p.setup) }

// newSetup parses the command line and hands it to run, which tests replace.
func newSetup(p *program, run func(*cobra.Command, setupOptions, []string) error) *cobra.Command {
	var o setupOptions
	c := &cobra.Command{
		Use:   "setup TOOL [HOST...]",
		Short: "Make a tool ask this program for its credentials",
		Long: `Writes the one line through which a tool gets its credentials from this program, makes the name by
which the tool finds it where it needs one, and binds HOST[:PORT][/PATH] in the profile's
cognito_hosts. Nothing else in any file changes, and helpers that are there keep answering for what they
answer for. What gives a host a token, or takes the place of another helper, is shown and asked first.

Tools, and the file that gets the line:
` + toolHelp() + `
--undo takes out what setup did, and leaves a file that nobody changed since as it was before, byte for
byte; without HOST it undoes all that was set up for the tool.

JSON members, those that are known: tool, profile, changes (kind, file, lines, state: written, standing,
planned, removed), hosts (host, gives, can: what the host can do with it). Members may be added, never
removed.`,
		Example: `  cognito-credhelper setup git git.example.com --profile dev
  cognito-credhelper setup docker registry.example.com:5000 --use id --print
  cognito-credhelper setup terraform registry.example.com
  cognito-credhelper setup kubernetes --profile dev
  cognito-credhelper setup aws --profile dev
  cognito-credhelper setup go proxy.example.com
  cognito-credhelper setup cargo crates.example.com
  cognito-credhelper setup bazel "*.example.com"
  cognito-credhelper setup pip pypi.example.com --dir /home/me/bin
  cognito-credhelper setup pnpm npm.example.com
  cognito-credhelper setup ecr 123456789012.dkr.ecr.eu-central-1.amazonaws.com --profile dev
  cognito-credhelper setup codeartifact my-123456789012.d.codeartifact.eu-central-1.amazonaws.com/pypi/REPO
  cognito-credhelper setup codecommit git-codecommit.eu-central-1.amazonaws.com --profile dev
  cognito-credhelper setup eks 0123ABCD.gr7.eu-central-1.eks.amazonaws.com --cluster blue --profile dev
  cognito-credhelper setup git git.example.com --undo`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeTools,
		RunE:              func(c *cobra.Command, args []string) error { return run(c, o, args) },
	}
	flags := c.Flags()
	flags.StringVar(&o.profile, "profile", "", "`NAME`; else the one that binds the host, AWS_PROFILE, \"default\"")
	flags.StringVar(&o.use, "use", "", "the token that a newly bound host gets: `access|id` (default access)")
	flags.StringVar(&o.cluster, "cluster", "", "the `NAME` of the cluster that a newly bound host of eks is of")
	flags.StringVar(&o.dir, "dir", "", "put the name that the tool looks for into this `FOLDER`, not beside this program")
	flags.StringVar(&o.file, "file", "", "write the tool's line into this `FILE`")
	flags.BoolVar(&o.undo, "undo", false, "take out what setup did")
	flags.BoolVar(&o.unbind, "unbind", false, "with --undo: take the host out of cognito_hosts even if setup did not put it there")
	flags.BoolVar(&o.print, "print", false, "show what would be written, and write nothing")
	flags.BoolVar(&o.force, "force", false, "answer every question with yes")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("profile", p.completeProfiles)
	return c
}

func completeTools(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, t := range setupTools() {
		names = append(names, t.name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// setupView is the documented output of setup --json. Members are only ever added.
type setupView struct {
	Tool    string        `json:"tool"`
	Profile string        `json:"profile,omitempty"`
	Changes []setupChange `json:"changes"`
	Hosts   []reachJSON   `json:"hosts,omitempty"`
}

type setupChange struct {
	Kind  string   `json:"kind"`
	File  string   `json:"file"`
	Lines []string `json:"lines"`
	State string   `json:"state"`
}

// reachJSON is what a host is given, and what it can do with that.
type reachJSON struct {
	Host  string `json:"host"`
	Gives string `json:"gives"`
	Can   string `json:"can"`
}

// gives is the name of what a binding of kind gives.
func gives(kind string) string {
	switch kind {
	case string(token.UseAccess):
		return "access token"
	case string(token.UseID):
		return "ID token"
	default:
		return kind + " credential"
	}
}

func (p *program) setup(c *cobra.Command, o setupOptions, args []string) error {
	tool, err := toolOf(c, args)
	if err != nil {
		return err
	}
	if err := o.check(c, tool, args[1:]); err != nil {
		return err
	}
	hosts, err := o.hosts(c, tool, args[1:])
	if err != nil {
		return err
	}
	if o.undo {
		return p.undoSetup(tool, hosts, o)
	}
	w := &setupWork{program: p, tool: tool, o: o, hosts: hosts}
	if err := w.plan(); err != nil {
		return err
	}
	return w.carryOut(c.Context())
}

// check is what can be said of the flags before a profile is read.
func (o setupOptions) check(c *cobra.Command, t setupTool, hosts []string) error {
	switch {
	case o.use != "" && o.use != string(token.UseAccess) && o.use != string(token.UseID):
		return usageError(c, "--use must be access or id")
	case o.use != "" && t.hosts == noHosts:
		return usageError(c, "--use is for tools that ask for hosts; %s does not", t.name)
	case o.use != "" && t.kind != "":
		return usageError(c, "--use is for tools that take a token; %s takes something made from AWS credentials", t.name)
	case o.cluster != "" && t.kind != eksKind:
		return usageError(c, "--cluster is for %s", eksKind)
	case strings.ContainsAny(o.cluster, " \t\r\n="):
		return usageError(c, "--cluster must be the name of a cluster")
	case o.unbind && !o.undo:
		return usageError(c, "--unbind goes with --undo")
	case o.undo && o.print:
		return usageError(c, "--undo and --print exclude each other")
	case len(hosts) > 0 && t.hosts == noHosts:
		return usageError(c, "%s is set up for a profile, and takes no host", t.name)
	case len(hosts) == 0 && t.hosts == needsHosts && !o.undo:
		return usageError(c, "%s is set up for a host: name one", t.name)
	case o.dir != "" && !filepath.IsAbs(o.dir), o.file != "" && !filepath.IsAbs(o.file):
		return usageError(c, "--dir and --file need a whole path: it is used from every folder")
	}
	return nil
}

func (o setupOptions) hosts(c *cobra.Command, t setupTool, args []string) ([]setup.Host, error) {
	kind := cmp.Or(t.kind, o.use, string(token.UseAccess))
	if o.cluster != "" {
		kind += " user=" + o.cluster
	}
	var hosts []setup.Host
	for _, arg := range args {
		h, ok := setup.ParseHost(arg, kind)
		if !ok {
			return nil, usageError(c, "%q is no host[:port][/path], nor an https URL of one", arg)
		}
		if err := t.takes(h); err != "" {
			return nil, usageError(c, "%s", err)
		}
		hosts = append(hosts, h)
	}
	return hosts, nil
}

// setupWork is one run of setup.
type setupWork struct {
	*program
	tool    setupTool
	o       setupOptions
	hosts   []setup.Host
	profile profiles.Profile
	s       profiles.Selection
	tasks   []setup.Task
	ask     []string // why a person must agree
	reach   []reachJSON
}

// plan works out what is to be done, and asks nothing.
func (w *setupWork) plan() error {
	if err := w.chooseProfile(); err != nil {
		return err
	}
	if w.tool.kind != "" {
		if err := w.leadsToAWS(); err != nil {
			return err
		}
	}
	var tasks []setup.Task
	if len(w.hosts) == 0 {
		steps, err := w.steps(setup.Host{})
		if err != nil {
			return err
		}
		tasks = append(tasks, setup.Task{Tool: w.tool.name, Name: w.s.Name, Profile: w.s.Name, Steps: steps})
	}
	for _, h := range w.hosts {
		steps, err := w.steps(h)
		if err != nil {
			return err
		}
		binding, err := w.binding(w.tool.bound(h))
		if err != nil {
			return err
		}
		tasks = append(tasks, setup.Task{Tool: w.tool.name, Name: h.Place(), Profile: w.s.Name, Steps: append(steps, binding...)})
	}
	for i := range tasks {
		if err := w.checkTask(&tasks[i]); err != nil {
			return err
		}
	}
	w.tasks = tasks
	return nil
}

// checkTask notes what stands in the way as a question.
func (w *setupWork) checkTask(t *setup.Task) error {
	err := t.Check(w.o.force)
	var foreign *setup.ForeignError
	if errors.As(err, &foreign) {
		w.ask = append(w.ask, foreign.Error())
		err = t.Check(true)
	}
	if err == nil && w.tool.asks != nil {
		if reason := w.tool.asks(w, t.Steps); reason != "" {
			w.ask = append(w.ask, reason)
		}
	}
	return w.badProfile(err)
}

// chooseProfile takes the flag's, else the one that binds the first host already, else what other commands take.
func (w *setupWork) chooseProfile() error {
	w.s = profiles.Select(w.o.profile, "", w.Getenv)
	if w.o.profile == "" && len(w.hosts) > 0 {
		found, err := w.boundBy(w.hosts[0], "")
		if err != nil {
			return err
		}
		if found != "" {
			w.s = profiles.Selection{Name: found, Named: true}
		}
	}
	if w.tool.hosts == takesHosts && len(w.hosts) == 0 && w.o.profile == "" {
		w.s = profiles.Selection{} // one line for whatever any profile binds
		return nil
	}
	w.meant.Store(&w.s)
	var err error
	w.profile, err = w.signInProfile(w.s)
	return err
}

// boundBy is the profile whose binding covers a host, of those of profile where it is given.
func (w *setupWork) boundBy(h setup.Host, profile string) (string, error) {
	table, _, err := w.bindings()
	if err != nil {
		return "", w.badProfile(err)
	}
	at := h.At(h.Scheme)
	switch found := table.Match(at, profile); len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0].Profile, nil
	default:
		return "", ambiguous(at, found[0].Profile, found[1].Profile)
	}
}

// binding is the step that binds a host; none where the profile does already.
func (w *setupWork) binding(h setup.Host) ([]setup.Step, error) {
	at := h.At(h.Scheme)
	b, ok := w.profile.Match(at)
	same := false
	if i := slices.IndexFunc(w.profile.Hosts, func(b profiles.Binding) bool { return b.Host == h.Host && b.Port == h.Port && b.Path == h.Path }); i >= 0 {
		b, ok, same = w.profile.Hosts[i], true, true
	}
	if ok {
		if err := w.otherwise(h, b); err != nil {
			return nil, err
		}
		w.reach = append(w.reach, reachJSON{h.Place(), gives(b.Kind), setup.Reach(b.Kind, w.profile)})
		if !same {
			return nil, nil
		}
		return w.bindingStep(h) // it stands; the book is told who else uses it
	}
	if w.tool.kind == eksKind && h.User == "" {
		return nil, &token.Error{
			Kind:    token.Usage,
			Message: "the token of " + h.Place() + " is for one cluster, and nothing says which",
			Next:    w.again() + " --cluster NAME",
		}
	}
	if err := w.boundElsewhere(h, at); err != nil {
		return nil, err
	}
	w.reach = append(w.reach, reachJSON{h.Place(), gives(h.Kind), setup.Reach(h.Kind, w.profile)})
	w.ask = append(w.ask, h.Place()+" is to get the "+gives(h.Kind)+" of profile "+w.s.Name+"; "+setup.Reach(h.Kind, w.profile))
	return w.bindingStep(h)
}

// otherwise is why the profile's binding of a place is not the one that is wanted; nil where it is, or nothing says which.
func (w *setupWork) otherwise(h setup.Host, b profiles.Binding) error {
	wrong := func(what, next string) error {
		return &token.Error{
			Kind:    token.BadProfile,
			Message: "profile " + w.s.Name + " binds " + h.Place() + " to " + what + " already",
			Next:    next + "change that line of cognito_hosts",
		}
	}
	switch {
	case w.tool.kind != "" && b.Kind != w.tool.kind:
		return wrong(b.Kind, "")
	case w.o.use != "" && b.Kind != w.o.use:
		return wrong(b.Kind, "leave out --use, or ")
	case w.o.cluster != "" && b.User != w.o.cluster:
		return wrong("cluster "+b.User, "leave out --cluster, or ")
	}
	return nil
}

func (w *setupWork) bindingStep(h setup.Host) ([]setup.Step, error) {
	file, section, err := w.placeOfHosts()
	if err != nil {
		return nil, err
	}
	return []setup.Step{setup.InFile(setup.Binding, file, setup.Want{Host: h, Name: section})}, nil
}

// boundElsewhere refuses a binding of a place that another profile has: neither would be asked without --profile then.
func (w *setupWork) boundElsewhere(h setup.Host, at profiles.Host) error {
	table, _, err := w.bindings()
	if err != nil {
		return w.badProfile(err)
	}
	for _, b := range table.Match(at, "") {
		if b.Profile != w.s.Name && b.Binding.Host == h.Host && b.Binding.Port == h.Port && b.Binding.Path == h.Path {
			return &token.Error{
				Kind:    token.BadProfile,
				Message: "profile " + b.Profile + " binds " + h.Place() + " already, and a host gets the credential of one profile",
				Next:    "take the line out of its cognito_hosts, or leave out --profile",
			}
		}
	}
	return nil
}

// placeOfHosts is the file and the section where the profile's bindings stand, or are to: beside its user pool.
func (w *setupWork) placeOfHosts() (file, section string, err error) {
	keys, err := w.profileKeys(w.s)
	if err != nil {
		return "", "", w.badProfile(err)
	}
	for _, name := range []string{"cognito_hosts", "cognito_user_pool_id"} {
		if i := slices.IndexFunc(keys, func(k placedKey) bool { return k.name == name }); i >= 0 {
			return keys[i].file, keys[i].section, nil
		}
	}
	return "", "", &token.Error{Kind: token.BadProfile, Message: "profile " + w.s.Name + " stands in no file that can be written", Next: "add the host to its cognito_hosts where it stands"}
}

func (w *setupWork) carryOut(ctx context.Context) error {
	if w.o.print {
		return w.tell("planned")
	}
	if err := w.agreed(ctx); err != nil {
		return err
	}
	book, err := w.book()
	if err != nil {
		return err
	}
	for _, t := range w.tasks {
		if err := book.Do(t); err != nil {
			return w.badProfile(err)
		}
	}
	return w.tell("written")
}

func (p *program) book() (setup.Book, error) {
	folder, _, err := p.stateFolder()
	return setup.OpenBook(filepath.Join(folder, "setup")), err
}

// agreed shows what is to be done and asks, where something is to be agreed to.
func (w *setupWork) agreed(ctx context.Context) error {
	if w.o.force || len(w.ask) == 0 {
		return nil
	}
	if !w.terminal.Present() {
		return &token.Error{Kind: token.Usage, Message: "there is no terminal to confirm: " + strings.Join(w.ask, "; "), Next: w.again() + " --force"}
	}
	for _, t := range w.tasks {
		w.show(t.Steps)
	}
	for _, reason := range w.ask {
		w.say("%s", reason)
	}
	yes, err := w.terminal.Confirm(ctx, "write this?")
	if err == nil && !yes {
		err = &token.Error{Kind: token.Failure, Message: "nothing was changed"}
	}
	return err
}

// again is this command line, as it can be pasted.
func (w *setupWork) again() string {
	line := w.lineFor(w.s, "")
	for _, f := range []struct{ name, value string }{{"use", w.o.use}, {"cluster", w.o.cluster}, {"dir", w.o.dir}, {"file", w.o.file}} {
		if f.value != "" {
			line += " --" + f.name + " " + profiles.ShellWord(f.value)
		}
	}
	return line
}

// show tells a person of steps.
func (p *program) show(steps []setup.Step) {
	for _, s := range steps {
		if s.Standing {
			p.say("%s already says that", s.File)
			continue
		}
		p.say("%s:", s.File)
		for _, l := range s.Lines {
			p.say("  %s", strings.ReplaceAll(l, "\t", "  "))
		}
	}
}

// tell says what was done, or would be.
func (w *setupWork) tell(state string) error {
	if w.o.asJSON {
		return w.printJSON(w.view(state))
	}
	if state == "planned" {
		return w.print(planned(w.tasks))
	}
	for _, t := range w.tasks {
		w.show(t.Steps)
	}
	for _, r := range w.reach {
		w.say("%s gets the %s of profile %s: %s", r.Host, r.Gives, w.s.Name, r.Can)
	}
	if w.tool.after != nil {
		w.tool.after(w)
	}
	return nil
}

func (w *setupWork) view(state string) setupView {
	v := setupView{Tool: w.tool.name, Profile: w.s.Name, Hosts: w.reach, Changes: []setupChange{}}
	for _, t := range w.tasks {
		v.Changes = append(v.Changes, changesOf(t.Steps, state)...)
	}
	return v
}

func changesOf(steps []setup.Step, state string) []setupChange {
	var changes []setupChange
	for _, s := range steps {
		c := setupChange{string(s.Kind), s.File, s.Lines, state}
		if s.Standing {
			c.State = "standing"
		}
		changes = append(changes, c)
	}
	return changes
}

// planned is what would be written.
func planned(tasks []setup.Task) string {
	var b strings.Builder
	for _, t := range tasks {
		for _, s := range t.Steps {
			if s.Standing {
				continue
			}
			b.WriteString(s.File + ":\n")
			for _, l := range s.Lines {
				b.WriteString("  " + l + "\n")
			}
		}
	}
	if b.Len() == 0 {
		return "nothing: it is set up\n"
	}
	return b.String()
}

// undoSetup takes out what was set up, for the hosts that are named or for all.
func (p *program) undoSetup(t setupTool, hosts []setup.Host, o setupOptions) error {
	book, err := p.book()
	if err != nil {
		return err
	}
	tasks, err := p.undone(book, t, hosts, o)
	if err != nil {
		return err
	}
	var done []setup.Step
	for _, task := range tasks {
		steps, err := book.Undo(task, o.unbind)
		done = append(done, steps...)
		if err != nil {
			return p.badProfile(err)
		}
	}
	if o.asJSON {
		return p.printJSON(setupView{Tool: t.name, Profile: o.profile, Changes: append([]setupChange{}, changesOf(done, "removed")...)})
	}
	if len(done) == 0 {
		p.say("%s: there is nothing of setup to take out", t.name)
	}
	for _, s := range done {
		p.say("taken out of %s:", s.File)
		for _, l := range s.Lines {
			p.say("  %s", strings.ReplaceAll(l, "\t", "  "))
		}
	}
	return nil
}

// undone are the tasks that are meant: those of the book, and for what it does not know what setup would write.
func (p *program) undone(book setup.Book, t setupTool, hosts []setup.Host, o setupOptions) ([]setup.Task, error) {
	recorded, err := book.Tasks(t.name)
	if err != nil {
		return nil, p.badProfile(err)
	}
	named := func(r setup.Task) bool {
		return o.profile == "" || r.Profile == o.profile
	}
	if len(hosts) == 0 && (t.hosts != noHosts || o.profile == "" && len(recorded) > 0) {
		return slices.DeleteFunc(recorded, func(r setup.Task) bool { return !named(r) }), nil
	}
	w := &setupWork{program: p, tool: t, o: o, s: profiles.Select(o.profile, "", p.Getenv)}
	if len(hosts) == 0 {
		hosts = []setup.Host{{}}
	}
	var tasks []setup.Task
	for _, h := range hosts {
		name := h.Place()
		if t.hosts == noHosts {
			name = w.s.Name
		}
		if i := slices.IndexFunc(recorded, func(r setup.Task) bool { return r.Name == name && named(r) }); i >= 0 {
			tasks = append(tasks, recorded[i])
			continue
		}
		steps, err := w.steps(h)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, setup.Task{Tool: t.name, Name: name, Profile: w.s.Name, Steps: steps})
	}
	if !o.unbind {
		return tasks, nil
	}
	for i, h := range hosts {
		if file, section, err := w.placeOfHosts(); err == nil && t.hosts != noHosts {
			tasks[i].Steps = append(tasks[i].Steps, setup.InFile(setup.Binding, file, setup.Want{Host: t.bound(h), Name: section}))
		}
	}
	return tasks, nil
}
