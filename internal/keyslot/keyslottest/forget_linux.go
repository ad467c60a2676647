package keyslottest

import (
	"encoding/hex"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
)

// Forget takes the kernel's copy of a test's key out of the keyring of whoever runs the test, at the test's end.
func Forget(t testing.TB, id keyslot.KeyID) {
	t.Cleanup(func() {
		serial, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", "cognito-credhelper:"+hex.EncodeToString(id[:]), 0)
		if err == nil {
			_, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, serial, unix.KEY_SPEC_USER_KEYRING, 0, 0)
		}
	})
}
