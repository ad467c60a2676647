package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cognito-credhelper/cognito-credhelper/internal/history"
)

func (p *program) historyCommand() *cobra.Command {
	var asJSON, clear bool
	c := &cobra.Command{
		Use:   "history",
		Short: "Show the last calls of Cognito and how they ended",
		Long: `Shows the last 20 calls of the user pool's service, the oldest first: time, operation, region, HTTP
status, error code, request id, and milliseconds. There is never a parameter or a token among it.`,
		Example: "  cognito-credhelper history\n  cognito-credhelper history --json\n  cognito-credhelper history --clear",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case asJSON && clear:
				return usageError(c, "--json shows and --clear forgets: give one of them")
			case p.calls == nil:
				_, _, err := p.stateFolder()
				return err
			case clear:
				return p.calls.Clear()
			}
			return p.showHistory(asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "for scripts: one JSON array")
	c.Flags().BoolVar(&clear, "clear", false, "forget all of it")
	return c
}

func (p *program) showHistory(asJSON bool) error {
	calls, err := p.calls.Calls()
	if err != nil && !history.IsNone(err) {
		return err
	}
	if asJSON {
		return p.printHistoryJSON(calls)
	}
	if len(calls) == 0 {
		p.say("nothing was called yet")
		return nil
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TIME\tOPERATION\tREGION\tSTATUS\tERROR\tREQUEST ID\tMS")
	for _, c := range calls {
		fmt.Fprintln(w, strings.Join([]string{
			c.Time.Local().Format("2006-01-02 15:04:05"), c.Operation, c.Region, strconv.Itoa(c.Status),
			cmp.Or(c.Code, "-"), cmp.Or(c.RequestID, "-"), strconv.FormatInt(c.Took, 10),
		}, "\t"))
	}
	w.Flush()
	return p.print(text.String())
}

func (p *program) printHistoryJSON(calls []history.Call) error {
	if calls == nil {
		calls = []history.Call{}
	}
	return p.printJSON(calls)
}
