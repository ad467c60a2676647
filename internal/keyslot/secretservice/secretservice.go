// Package secretservice keeps small secrets in the desktop's keyring by the Secret Service API over D-Bus.
//
// It guarantees that nothing is started and no connection is made where there is no session bus: the D-Bus library would
// start one, and leave it running, for each call. It asks on no terminal, but the keyring may show a window of its own. Its
// calls may block; keyslot bounds them.
// Source: https://specifications.freedesktop.org/secret-service/latest/
package secretservice

import (
	"errors"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"
	"github.com/zalando/go-keyring"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
)

// service is the attribute by which people find our items in their keyring.
const service = "cognito-credhelper"

// Keyring is the login keyring of the session bus. Safe for concurrent use.
type Keyring struct {
	address string
	socket  string // that the D-Bus library takes where no address is given
	api     api
}

var _ keyslot.Keyring = (*Keyring)(nil)

// api is what this package needs of the library.
type api struct {
	get    func(service, user string) (string, error)
	set    func(service, user, secret string) error
	delete func(service, user string) error
}

// New takes the value of DBUS_SESSION_BUS_ADDRESS, which may be empty, and the user's id. Nothing is asked before the first
// call.
func New(address string, uid int) *Keyring {
	return &Keyring{address, "/run/user/" + strconv.Itoa(uid) + "/bus", api{keyring.Get, keyring.Set, keyring.Delete}}
}

// Get gives a secret.
func (k *Keyring) Get(name string) (string, error) {
	if err := k.bus(); err != nil {
		return "", err
	}
	secret, err := k.api.get(service, name)
	return secret, reason(err)
}

// Set keeps a secret.
func (k *Keyring) Set(name, secret string) error {
	if err := k.bus(); err != nil {
		return err
	}
	return reason(k.api.set(service, name, secret))
}

// Delete forgets a secret.
func (k *Keyring) Delete(name string) error {
	if err := k.bus(); err != nil {
		return err
	}
	return reason(k.api.delete(service, name))
}

var (
	errNoBus   = errors.New("there is no D-Bus session bus")
	errForeign = errors.New("the address of the D-Bus session bus is not one of a local socket")
	errNobody  = errors.New("no keyring answers on the D-Bus session bus")
	errLocked  = errors.New("it is locked, or there is none yet")
)

// bus looks whether there is a session bus to connect to. Only sockets of this machine count: other addresses (autolaunch,
// unixexec) name programs to run, or other machines.
func (k *Keyring) bus() error {
	if k.address == "" || k.address == "autolaunch:" {
		if isSocket(k.socket) {
			return nil
		}
		return errNoBus
	}
	there := false
	for one := range strings.SplitSeq(k.address, ";") {
		transport, rest, _ := strings.Cut(one, ":")
		if transport != "unix" {
			return errForeign
		}
		there = there || socketThere(rest)
	}
	if !there {
		return errNoBus
	}
	return nil
}

// socketThere looks for the socket of one unix address. An abstract one has no file to look for.
func socketThere(pairs string) bool {
	for pair := range strings.SplitSeq(pairs, ",") {
		key, value, _ := strings.Cut(pair, "=")
		value, err := url.PathUnescape(value)
		if err == nil && (key == "abstract" && value != "" || key == "path" && isSocket(value)) {
			return true
		}
	}
	return false
}

func isSocket(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeSocket != 0
}

// reason turns an error of the library into what a person can act on.
func reason(err error) error {
	var said dbus.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return keyslot.ErrNoKey
	case errors.As(err, &said) && (said.Name == "org.freedesktop.DBus.Error.ServiceUnknown" || strings.HasPrefix(said.Name, "org.freedesktop.DBus.Error.Spawn")):
		return errNobody
	case errors.As(err, &said) && said.Name == "org.freedesktop.Secret.Error.IsLocked", strings.Contains(err.Error(), "failed to unlock"):
		return errLocked
	default:
		return err
	}
}
