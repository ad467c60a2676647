package worker

import "github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"

// systemKeyring is nil: DPAPI is part of package keyslot.
func systemKeyring(func(string) string) keyslot.Keyring { return nil }
