package cli

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/containercredentials"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// The variables by which AWS tools find a container credentials endpoint.
const (
	endpointVariable  = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
	tokenVariable     = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
	tokenFileVariable = tokenVariable + "_FILE"
)

// serveOptions is what the flags of serve say.
type serveOptions struct {
	awsFlags
	format string
	parent int
}

func (p *program) serveCommand() *cobra.Command { return newServe(p, p.serveEndpoint) }

// newServe parses the flags and hands them to run, which tests replace.
func newServe(p *program, run func(*cobra.Command, serveOptions) error) *cobra.Command {
	var o serveOptions
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve AWS credentials to programs that run for long",
		Long: `Serves a profile's AWS credentials as a container credentials endpoint on a random port of 127.0.0.1,
and prints the two variables by which AWS tools find it. Its token stands in a file that only you can
read. It ends with the process that started it, or with the one that --parent-pid names. AWS tools ask
it only where no profile, no key, and no web identity comes before it.

A profile with cognito_store = none is signed in to at the terminal first; its session is in the memory
of this process.`,
		Example: `  cognito-credhelper serve --profile dev --parent-pid $$ > endpoint.env & sleep 1; . ./endpoint.env`,
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return run(c, o) },
	}
	o.define(p, c)
	c.Flags().StringVar(&o.format, "format", "env", "`FORMAT` of the variables: "+strings.Join(shellNames(), ", "))
	c.Flags().IntVar(&o.parent, "parent-pid", 0, "end with this process `ID`, not with the one that started this one")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(shellNames(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (p *program) serveEndpoint(c *cobra.Command, o serveOptions) error {
	switch {
	case !slices.Contains(shellNames(), o.format):
		return usageError(c, "--format must be one of %s", strings.Join(shellNames(), ", "))
	case o.parent < 0, o.parent > 0 && !running(o.parent):
		return usageError(c, "--parent-pid: there is no such process")
	}
	if err := p.signInHere(c.Context(), o.request(p)); err != nil {
		return err
	}
	e, err := p.openEndpoint(c.Context(), o.awsFlags)
	if err != nil {
		return err
	}
	defer e.close()
	text, err := inShell(o.format, []variable{{endpointVariable, e.URL()}, {tokenFileVariable, e.tokenFile}})
	if err != nil {
		return err
	}
	if err := p.print(text); err != nil {
		return err
	}
	p.warnOutranking(append(p.outrankingKeys(), p.outrankingEndpoint(o.request(p).Profile)...))
	untilParentEnds(c.Context(), o.parent)
	return nil
}

// endpoint is a container credentials endpoint, and the file that has its token.
type endpoint struct {
	*containercredentials.Endpoint
	tokenFile string
}

// openEndpoint asks for the credentials once before it serves them: whoever starts it learns at once what is wrong.
func (p *program) openEndpoint(ctx context.Context, f awsFlags) (*endpoint, error) {
	from, r := &source{p}, f.request(p)
	if _, err := from.AWSCredentials(ctx, r); err != nil {
		return nil, err
	}
	folder, _, err := p.stateFolder()
	if err != nil {
		return nil, err
	}
	e, err := containercredentials.Start(ctx, containercredentials.Options{Source: from, Request: r})
	if err != nil {
		return nil, err
	}
	opened := &endpoint{Endpoint: e}
	if opened.tokenFile, err = writeToken(filepath.Join(folder, "endpoints"), e.Token()); err != nil {
		opened.close()
		return nil, &token.Error{Kind: token.Failure, Message: "the endpoint's token cannot be written", Err: err}
	}
	return opened, nil
}

func (e *endpoint) close() {
	_ = e.Endpoint.Close()
	if e.tokenFile != "" {
		_ = os.Remove(e.tokenFile)
	}
}

// writeToken keeps a token in a file of its own, which SDKs read anew each time; a line break in it is an error to them. Files of
// processes that are no more are taken away: they ended without doing so themselves.
func writeToken(folder string, secret token.Secret) (string, error) {
	if err := atomicfile.MakeFolder(folder); err != nil {
		return "", err
	}
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		owner, _, ours := strings.Cut(e.Name(), "-")
		if pid, err := strconv.Atoi(owner); ours && err == nil && !running(pid) {
			_ = os.Remove(filepath.Join(folder, e.Name()))
		}
	}
	file := filepath.Join(folder, strconv.Itoa(os.Getpid())+"-"+rand.Text()[:8]+".token")
	return file, atomicfile.Write(file, []byte(secret.Reveal()))
}

// running reports whether a process exists.
func running(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer process.Release()
	err = process.Signal(syscall.Signal(0))
	// Windows finds only what exists and knows no such signal; elsewhere another user's process refuses it.
	return err == nil || runtime.GOOS == "windows" || os.IsPermission(err)
}

// parentPoll is how often a parent is looked for. It is a file descriptor's worth of work.
const parentPoll = 200 * time.Millisecond

// untilParentEnds waits for the end of ctx, or of the process given; 0 means the one that started this one. Init starts what is
// meant to stay, and is waited for by nobody.
func untilParentEnds(ctx context.Context, pid int) {
	started := os.Getppid()
	alive := func() bool { return os.Getppid() == started && running(started) }
	switch {
	case pid > 0:
		alive = func() bool { return running(pid) }
	case started <= 1:
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(parentPoll)
	defer tick.Stop()
	for alive() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
