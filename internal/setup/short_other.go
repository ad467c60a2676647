//go:build !windows

package setup

// withShortFolder is for Windows; elsewhere quotes serve.
func withShortFolder(program string) string { return program }
