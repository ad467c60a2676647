package cli

// closeOnExec has nothing to do: Windows children get only the handles that they are given.
func closeOnExec(int) {}
