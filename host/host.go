// Package host lets a Go program load cognito-credhelper as a plugin: it finds the program, verifies it, starts it, and asks
// it for tokens, AWS credentials, or a sign-in whose questions appear in the program's own interface.
//
//	client, err := host.Open(ctx, host.Options{})
//	if err != nil { … }
//	defer client.Close()
//	got, err := client.GetTokens(ctx, plugin.GetTokensRequest{Selection: plugin.Selection{Profile: "dev"}})
//
// # What it guarantees
//
// Nothing is started that was not pinned: by Options.SHA256, by the lock file that [Lock] writes, or by what
// `cognito-credhelper plugin register` recorded. Nothing is looked for on PATH or in the working directory. A program that
// others could have written, or whose folder others can write to, is refused. On Linux the file that was hashed is the file
// that is executed; elsewhere somebody who may write to its folder, and that is only the user and root, could replace it in
// between. Host and plugin prove themselves to each other by certificates made for this one run, over a socket in a private
// folder. The plugin gets the environment that [Environ] lists, no standard input, and a process group of its own, and ends
// when this process ends, however it ends.
//
// The ecosystem adapters are in the packages below: awsauth, smithyauth, oauth2auth, grpcauth, httpauth.
package host

import (
	"context"
	"io"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// Options says which program to start, and how. The zero value finds what was installed and registered.
type Options struct {
	// Program is the program to start, an absolute path: the complete program, never the front. "" looks, in this order, for
	// what `cognito-credhelper plugin register` recorded, for ../libexec/cognito-credhelper beside this program, and in the
	// plugin folder.
	Program string
	// SHA256 is the checksum that the program must have, 64 hexadecimal digits. "" takes the registration's or the lock
	// file's.
	SHA256 string
	// Unpinned starts a program whose checksum nobody recorded. Where one is recorded, it still must be right.
	Unpinned bool
	// Name is the name to look for in the plugin folder; "" means cognito-credhelper. The newest version that the lock file
	// allows is taken.
	Name string
	// Folder is the plugin folder, an absolute path; "" means <configuration>/cognito-credhelper/plugins.
	Folder string
	// AllowReattach takes the plugin that COGNITO_CREDHELPER_REATTACH names, for debuggers: nothing of it is verified.
	AllowReattach bool
	// Env is added to the plugin's environment, NAME=VALUE. See Environ for what it has already.
	Env []string
	// Log takes the plugin's log and go-plugin's, as lines of text; nil discards it. LogLevel is trace, debug, info, warn,
	// error, or off; "" means warn.
	Log      io.Writer
	LogLevel string
	// StartTimeout bounds a start, 0 means 30 s. CallTimeout bounds every call but Login, 0 means 90 s; Login has 16 minutes.
	StartTimeout, CallTimeout time.Duration
}

const (
	defaultName  = "cognito-credhelper"
	startTimeout = 30 * time.Second
	callTimeout  = 90 * time.Second
	loginTimeout = 16 * time.Minute // a minute more than the plugin allows
)

// Open finds, verifies, and starts the plugin. The end of ctx ends the start only. Errors are *plugin.Error; those about the
// program and its checksum have CodeBadProfile and say what to do.
func Open(ctx context.Context, o Options) (*Client, error) {
	c := &Client{o: o}
	if err := o.check(); err != nil {
		return nil, err
	}
	if _, err := c.use(ctx, nil); err != nil {
		return nil, err
	}
	return c, nil
}

func (o Options) check() error {
	switch {
	case o.Name != "" && !validName(o.Name):
		return unusable("the plugin's name must be of lower-case letters, digits, and hyphens, with _vX.Y.Z at its end or without", "")
	case o.SHA256 != "" && !validSum(o.SHA256):
		return unusable("the checksum must be 64 hexadecimal digits", "")
	}
	return firstError(absolute("the program", o.Program), absolute("the plugin folder", o.Folder))
}

// unusable is the error of a program that cannot be used as it is.
func unusable(message, hint string) error {
	return &plugin.Error{Code: plugin.CodeBadProfile, Message: message, Hint: hint}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
