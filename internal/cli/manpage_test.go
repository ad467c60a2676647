package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/all"
)

// The man page is written by hand; this keeps it from forgetting a command or a flag.
func TestTheManPageNamesEveryCommandAndFlag(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "man", "cognito-credhelper.1"))
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), `\-`, "-")
	b := newBench(t)
	b.adapters = all.Adapters(nil)
	for _, c := range commandsBelow(b.root()) {
		name := strings.TrimPrefix(c.CommandPath(), programName+" ")
		if !strings.Contains(page, "\n.B "+name+"\n") && !strings.Contains(page, "\n.BR "+name+" ") && !strings.Contains(page, "\n.BR \""+name+"\" ") && !strings.Contains(page, "\n.B \""+name+"\"\n") {
			t.Errorf("command %s is missing", name)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(page, "--"+f.Name) {
				t.Errorf("--%s of %s is missing", f.Name, name)
			}
		})
	}
}

// commandsBelow are the commands below c that do something, at any depth.
func commandsBelow(c *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, sub := range c.Commands() {
		if len(sub.Commands()) == 0 {
			all = append(all, sub)
		}
		all = append(all, commandsBelow(sub)...)
	}
	return all
}
