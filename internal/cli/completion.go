package cli

import (
	"github.com/spf13/cobra"
)

func (p *program) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a completion script for a shell",
		Long: `Prints a script that makes a shell complete commands, flags, and the names of profiles that have a
cognito_ key.`,
		Example: `  source <(cognito-credhelper completion bash)
  cognito-credhelper completion fish > ~/.config/fish/completions/cognito-credhelper.fish`,
		ValidArgs: shells,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError(c, "name one shell: bash, zsh, fish, or powershell")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			switch root := c.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(p.Stdout, true)
			case "zsh":
				return root.GenZshCompletion(p.Stdout)
			case "fish":
				return root.GenFishCompletion(p.Stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(p.Stdout)
			default:
				return usageError(c, "there is no completion for %q: name bash, zsh, fish, or powershell", args[0])
			}
		},
	}
}
