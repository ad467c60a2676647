package keychain

import (
	"errors"
	"runtime"
	"strconv"
	"testing"

	"github.com/zalando/go-keyring"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot/keyslottest"
)

// exit is how the program security ended.
type exit int

func (e exit) Error() string { return "exit status " + strconv.Itoa(int(e)) }
func (e exit) ExitCode() int { return int(e) }

// fake is a login keychain, as the library shows it.
type fake struct {
	keyslottest.Keyring
	t     *testing.T
	ended error // how security ends instead of answering
}

func (f *fake) api() api {
	check := func(service, user string) error {
		if service != "cognito-credhelper" || user == "" {
			f.t.Errorf("item %q of %q", user, service)
		}
		return f.ended
	}
	library := func(err error) error {
		if err == keyslot.ErrNoKey {
			return keyring.ErrNotFound
		}
		return err
	}
	return api{
		get: func(service, user string) (string, error) {
			if err := check(service, user); err != nil {
				return "", err
			}
			secret, err := f.Get(user)
			return secret, library(err)
		},
		set: func(service, user, secret string) error {
			if err := check(service, user); err != nil {
				return err
			}
			return library(f.Set(user, secret))
		},
		delete: func(service, user string) error {
			if err := check(service, user); err != nil {
				return err
			}
			return library(f.Delete(user))
		},
	}
}

func TestContract(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("DPAPI comes before every keyring")
	}
	for _, kind := range []keyslot.Kind{keyslot.OS, keyslot.OSStrict} {
		f := &fake{t: t}
		keyslottest.Contract(t, keyslottest.Place{
			Kind: kind,
			Open: func(folder string) *keyslot.Slots {
				return keyslot.OpenWith(folder, keyslot.Options{Keyring: &Keyring{f.api()}})
			},
			Damage: func(*testing.T, string) { f.Change(func(s string) string { return s[1:] }) },
			Break: func(*testing.T) func() {
				f.ended = exit(interactionRefused)
				return func() { f.ended = nil }
			},
		})
		if f.Largest == 0 || f.Largest > keyslottest.MaxPayload {
			t.Errorf("the keychain was given %d bytes", f.Largest)
		}
	}
}

func TestReasons(t *testing.T) {
	other := errors.New("something else")
	for _, c := range []struct{ err, want error }{
		{nil, nil},
		{keyring.ErrNotFound, keyslot.ErrNoKey},
		{exit(itemNotFound), keyslot.ErrNoKey},
		{exit(interactionRefused), errNoScreen},
		{exit(userCanceled), errDenied},
		{exit(authFailed), errDenied},
		{exit(1), exit(1)},
		{other, other},
	} {
		if got := reason(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}
