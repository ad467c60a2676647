package cli

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// selection holds the flags that say which session is meant.
type selection struct{ profile, location, username string }

// define adds the flags to c; username only where the command works on a session.
func (f *selection) define(c *cobra.Command, names cobra.CompletionFunc, username bool) {
	flags := c.Flags()
	flags.StringVar(&f.profile, "profile", "", "also --profile-name `NAME`; else AWS_PROFILE, else \"default\"")
	flags.StringVar(&f.location, "profile-location", "", "search only this `FILE` for the profile")
	if username {
		flags.StringVar(&f.username, "username", "", "user `NAME`, where the profile names none or another one")
	}
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "profile-name" {
			name = "profile"
		}
		return pflag.NormalizedName(name)
	})
	// An error here means that the flag is not defined, which it is.
	_ = c.RegisterFlagCompletionFunc("profile", names)
}

// target reads the profile that the flags select, and says what is odd in it.
func (p *program) target(f selection) (tokensource.Target, error) {
	s := profiles.Select(f.profile, f.location, p.Getenv)
	if _, ignored, err := p.stateFolder(); err == nil && ignored != "" {
		p.warn(ignored + " is not an absolute path and is ignored")
	}
	profile, err := p.signInProfile(s)
	for _, w := range profile.Warnings {
		p.warn(w)
	}
	return tokensource.Target{Profile: profile, Selection: s, Username: f.username}, err
}

// signInProfile loads a profile that leads to a sign-in.
func (p *program) signInProfile(s profiles.Selection) (profiles.Profile, error) {
	profile, err := p.loadProfile(s, p.Getenv)
	if err == nil {
		err = profile.CheckSignIn()
	}
	return profile, p.badProfile(err)
}

// completeProfiles completes names of profiles.
func (p *program) completeProfiles(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	location := ""
	if f := c.Flags().Lookup("profile-location"); f != nil {
		location = f.Value.String()
	}
	names, err := p.profileNames(location)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// once is a flag that is refused the second time, so that the last of two never wins unseen, and that is never empty: an
// unset shell variable must not select another profile.
type once struct {
	pflag.Value
	seen bool
}

// Set sets the flag's value.
func (o *once) Set(value string) error {
	switch {
	case o.seen:
		return errors.New("it is given twice")
	case value == "":
		return errors.New("the value is empty")
	}
	o.seen = true
	return o.Value.Set(value)
}

// settableOnce makes every flag of c settable once, but for those that are lists.
func settableOnce(c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if _, list := f.Value.(pflag.SliceValue); !list {
			f.Value = &once{Value: f.Value}
		}
	})
}

// duration is a length of time as people and scripts write it: 90s, 15m, 1h, or a number of seconds.
type duration time.Duration

// String gives the value in Go's form.
func (d *duration) String() string {
	if *d == 0 {
		return ""
	}
	return time.Duration(*d).String()
}

// Type names the value in help.
func (d *duration) Type() string { return "duration" }

// Set reads the value, which must be above 0.
func (d *duration) Set(s string) error {
	if strings.Trim(s, "0123456789") == "" {
		s += "s"
	}
	v, err := time.ParseDuration(s)
	if err != nil || v <= 0 {
		return errors.New("it must be a length of time such as 90s, 15m, 1h, or a number of seconds")
	}
	*d = duration(v)
	return nil
}
