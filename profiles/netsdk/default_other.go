//go:build !windows

package netsdk

// Default is nil: only Windows has such a store.
func Default(func(string) string) *Store { return nil }
