package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/version"
)

// versionJSON is the documented output of version --json. Members are only ever added.
type versionJSON struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	Handover int    `json:"handover"`
}

func (p *program) versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Show the version of this program",
		Long: `Shows the version of this program, of Go, and of the hand-over contract that the installed pair of
programs shares.

JSON members: version, go, os, arch, handover (a number).`,
		Example: "  cognito-credhelper version\n  cognito-credhelper version --json",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			v := versionJSON{version.Number(), runtime.Version(), runtime.GOOS, runtime.GOARCH, version.Contract}
			if asJSON {
				return p.printJSON(v)
			}
			return p.print(fmt.Sprintf("%s %s (%s, %s/%s, hand-over %d)\n", programName, v.Version, v.Go, v.OS, v.Arch, v.Handover))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// printJSON prints v as indented JSON.
func (p *program) printJSON(v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return p.print(escapeJSON(string(text)) + "\n")
}

// escapeJSON writes what a terminal might act on, and encoding/json leaves as it is, as JSON's own escapes. Such
// characters stand inside strings only.
func escapeJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
