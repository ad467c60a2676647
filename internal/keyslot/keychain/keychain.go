// Package keychain keeps small secrets in the login keychain of macOS.
//
// It guarantees that no secret is in an argument: the system's own program security reads it from standard input. That
// program owns the items, so that every program of the user that asks it gets them, too. Its calls may block, where macOS
// asks the user; keyslot bounds them.
package keychain

import (
	"errors"

	"github.com/zalando/go-keyring"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
)

// service is the name by which people find our items in Keychain Access.
const service = "cognito-credhelper"

// Keyring is the user's default keychain. Safe for concurrent use.
type Keyring struct{ api api }

var _ keyslot.Keyring = (*Keyring)(nil)

// api is what this package needs of the library.
type api struct {
	get    func(service, user string) (string, error)
	set    func(service, user, secret string) error
	delete func(service, user string) error
}

// New asks nothing before the first call.
func New() *Keyring { return &Keyring{api{keyring.Get, keyring.Set, keyring.Delete}} }

// Get gives a secret.
func (k *Keyring) Get(name string) (string, error) {
	secret, err := k.api.get(service, name)
	return secret, reason(err)
}

// Set keeps a secret.
func (k *Keyring) Set(name, secret string) error { return reason(k.api.set(service, name, secret)) }

// Delete forgets a secret.
func (k *Keyring) Delete(name string) error { return reason(k.api.delete(service, name)) }

// exitCoder is an error of a program that ended.
type exitCoder interface {
	error
	ExitCode() int
}

// The exit codes of security are the low byte of an OSStatus of Security.framework (SecBase.h).
const (
	itemNotFound       = 44 // errSecItemNotFound, -25300
	interactionRefused = 36 // errSecInteractionNotAllowed, -25308: a session without a screen, as by SSH
	userCanceled       = 128
	authFailed         = 51 // errSecAuthFailed, -25293
)

var (
	errNoScreen = errors.New("the keychain is locked, and macOS cannot ask to unlock it here")
	errDenied   = errors.New("the keychain was not unlocked")
)

// reason turns an error of the library into what a person can act on.
func reason(err error) error {
	var exit exitCoder
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return keyslot.ErrNoKey
	case !errors.As(err, &exit):
		return err
	}
	switch exit.ExitCode() {
	case itemNotFound:
		return keyslot.ErrNoKey
	case interactionRefused:
		return errNoScreen
	case userCanceled, authFailed:
		return errDenied
	default:
		return err
	}
}
