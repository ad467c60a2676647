//go:build !linux && !darwin

package statefolder

// Remote does not know these platforms' file systems.
func Remote(string) string { return "" }
