//go:build !unix || darwin

package transport

// systemBundles is empty where the system itself verifies certificates.
func systemBundles() []string { return nil }
