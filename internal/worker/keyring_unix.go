//go:build unix && !darwin

package worker

import (
	"os"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot/secretservice"
)

func systemKeyring(getenv func(string) string) keyslot.Keyring {
	return secretservice.New(getenv("DBUS_SESSION_BUS_ADDRESS"), os.Getuid())
}
