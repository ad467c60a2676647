package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func (p *program) deviceCommand() *cobra.Command {
	return p.errandGroup("device", "Show and forget the devices that Cognito remembers",
		"Shows the devices that Cognito remembers for the user who is signed in to the profile, and forgets\nthem.",
		"  cognito-credhelper device list --profile dev\n  cognito-credhelper device forget us-east-1_6b1d… --profile dev",
		p.deviceListCommand(), p.deviceForgetCommand())
}

// deviceJSON is the documented output of device list --json, in a list. Members are only ever added.
type deviceJSON struct {
	Key        string     `json:"key"`
	Name       string     `json:"name,omitempty"`
	Remembered string     `json:"remembered,omitempty"`
	Created    *time.Time `json:"created_at,omitempty"`
	LastSeen   *time.Time `json:"last_seen_at,omitempty"`
	This       bool       `json:"this"`
}

func (p *program) deviceListCommand() *cobra.Command {
	var o errandOptions
	var asJSON bool
	c := p.plainErrand(&cobra.Command{
		Use:   "list",
		Short: "Show the devices that Cognito remembers",
		Long: `Shows the devices that Cognito remembers for the user who is signed in to the profile.

JSON: a list; members, those that are known: key, name, remembered, created_at, last_seen_at, this
(whether it is the session's own). Times are RFC 3339 in UTC.`,
		Example: "  cognito-credhelper device list --profile dev --json",
	}, &o, func(ctx context.Context, e *errand, _ []string) error {
		access, err := e.access(ctx)
		if err != nil {
			return err
		}
		found, err := e.pool.Devices(ctx, access)
		if err != nil {
			return err
		}
		devices := viewDevices(found, deviceKey(access))
		if asJSON {
			return p.printJSON(devices)
		}
		return p.print(p.describeDevices(devices))
	})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func viewDevices(found []cognito.DeviceInfo, own string) []deviceJSON {
	all := []deviceJSON{}
	for _, d := range found {
		all = append(all, deviceJSON{d.Key, d.Name, d.Remembered, utc(d.Created), utc(d.LastSeen), d.Key == own})
	}
	return all
}

// utc is a time as JSON shows it; nil where it is not known.
func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

func (p *program) describeDevices(devices []deviceJSON) string {
	if len(devices) == 0 {
		return "no device is remembered\n"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, d := range devices {
		fmt.Fprintf(w, "%s\t%s", printable(d.Key), printable(d.Name))
		if d.LastSeen != nil {
			fmt.Fprintf(w, "\tlast seen %s", clockTime(*d.LastSeen, p.now().Wall))
		}
		if d.This {
			fmt.Fprint(w, "\t(this session's)")
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return b.String()
}

func printable(s string) string { return safetext.Line(s, sentenceLimit) }

func (p *program) deviceForgetCommand() *cobra.Command {
	var o errandOptions
	return p.plainErrand(&cobra.Command{
		Use:   "forget KEY",
		Short: "Have Cognito forget a device",
		Long: `Has Cognito forget a device of the user who is signed in to the profile, as device list names it. A
sign-in on that device then asks for the second factor again, and a session there may not be
renewable any more.`,
		Example: "  cognito-credhelper device forget us-east-1_6b1d8e0c --profile dev",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usageError(c, "name one device by its key")
			}
			return nil
		},
	}, &o, func(ctx context.Context, e *errand, args []string) error { return e.forgetDevice(ctx, args[0]) })
}

func (e *errand) forgetDevice(ctx context.Context, key string) error {
	access, err := e.access(ctx)
	if err != nil {
		return err
	}
	if err := e.pool.ForgetDevice(ctx, access, key); err != nil {
		var said *token.Error
		if errors.As(err, &said) && answered(err) == "ResourceNotFound" {
			return &token.Error{Kind: token.Refused, Message: "Cognito remembers no such device", Next: command("device list", e.target.Selection, e.target.Username), Err: said.Err}
		}
		return err
	}
	e.say("profile %s: the device %s is forgotten", e.target.Selection.Name, key)
	if key == deviceKey(access) {
		e.warn("it is this session's own: if the session cannot be renewed any more, sign in again")
		e.hint(command("login", e.target.Selection, e.target.Username) + " --force")
	}
	return nil
}

// deviceKey is the device that an access token was issued to; "" where it does not say. Nothing depends on it but a word
// to a person, so that no signature is checked.
func deviceKey(access token.Secret) string {
	parts := strings.SplitN(access.Reveal(), ".", 3)
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Device string `json:"device_key"`
	}
	_ = json.Unmarshal(payload, &claims)
	return claims.Device
}
