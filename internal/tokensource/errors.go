package tokensource

import (
	"errors"
	"strconv"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

var errNoReply = errors.New("its answer cannot be read")

// LoginCommand is the command to paste for signing in to a target. A session that only one process has is got by no command,
// but in that process.
func LoginCommand(t Target) string {
	if t.Profile.Store == StoreNone {
		return "begin a new login in the process that had the session: with cognito_store = none nothing else has it"
	}
	return loginLine(t)
}

func loginLine(t Target) string { return "cognito-credhelper login" + flags(t) }

// LogoutCommand is the command to paste for signing out of a target.
func LogoutCommand(t Target) string { return "cognito-credhelper logout" + flags(t) }

// flags are the options that select a target.
func flags(t Target) string {
	var b strings.Builder
	if t.Selection.Name != "" && (t.Selection.Named || t.Selection.Name != "default") {
		b.WriteString(" --profile " + profiles.ShellWord(t.Selection.Name))
	}
	if t.Selection.Location != "" {
		b.WriteString(" --profile-location " + profiles.ShellWord(t.Selection.Location))
	}
	if t.Username != "" {
		b.WriteString(" --username " + profiles.ShellWord(t.Username))
	}
	return b.String()
}

// unreadable is what a caller is told about a session that cannot be loaded.
func (c *call) unreadable(err error) error { return c.orInFlight(loginNeededFor(c.target, err)) }

// orInFlight tells of a login in flight where one is needed: what the caller must wait for is a person.
func (c *call) orInFlight(err error) error {
	if token.KindOf(err) != token.LoginNeeded {
		return err
	}
	holder, ok := c.o.Cache.LoginInFlight(c.id)
	if !ok {
		return err
	}
	return &token.Error{Kind: token.LoginNeeded, Message: "a login is in flight" + who(holder), Next: "finish that login"}
}

// who says since when, and in which process.
func who(h tokencache.Holder) string {
	if h.PID == 0 {
		return ""
	}
	return ", since " + h.Since.Local().Format("15:04:05") + " (process " + strconv.Itoa(h.PID) + ")"
}

// loginNeededFor names the command that signs in to t: what lies below knows no profile.
func loginNeededFor(t Target, err error) error {
	if errors.Is(err, tokencache.ErrNoSession) {
		return &token.Error{Kind: token.LoginNeeded, Message: "nobody is signed in", Next: LoginCommand(t)}
	}
	var e *token.Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.Kind == token.LoginNeeded:
		return &token.Error{Kind: e.Kind, Message: e.Message, Next: LoginCommand(t), Err: e.Err}
	case errors.Is(err, keyslot.ErrUnavailable):
		return &token.Error{Kind: e.Kind, Message: e.Message, Next: LoginCommand(t) + " --store file", Err: e.Err}
	default:
		return err
	}
}

// ended is what a caller is told about a session with a tombstone.
func (s *Source) ended(t Target, d *tokencache.Death) *token.Error {
	message := d.Reason
	if loggedOut(d) {
		message = "nobody is signed in"
	} else if !strings.HasPrefix(message, "the session ") {
		message = "the session has ended: " + message
	}
	return &token.Error{Kind: token.LoginNeeded, Message: message, Next: LoginCommand(t)}
}

func (c *call) ended(d *tokencache.Death) error { return c.orInFlight(c.Source.ended(c.target, d)) }
