package secretservice

import (
	"errors"
	"net"
	"path/filepath"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/zalando/go-keyring"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
)

// forbidden is a library that no call may reach.
func forbidden(t *testing.T) api {
	touched := func() { t.Error("the D-Bus library was called, which would start a bus") }
	return api{
		func(string, string) (string, error) { touched(); return "", nil },
		func(string, string, string) error { touched(); return nil },
		func(string, string) error { touched(); return nil },
	}
}

// H19: only a socket of this machine that is there is connected to.
func TestBus(t *testing.T) {
	folder := t.TempDir()
	here, missing := filepath.Join(folder, "bus"), filepath.Join(folder, "missing")
	l, err := net.Listen("unix", here)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	plain := filepath.Join(folder, "bus%2cplain") // no socket, and an escape in its name
	for _, c := range []struct {
		address, socket string
		want            error
	}{
		{"", missing, errNoBus},
		{"", here, nil},
		{"autolaunch:", missing, errNoBus},
		{"autolaunch:", here, nil},
		{"unix:path=" + here, missing, nil},
		{"unix:path=" + here + ",guid=00", missing, nil},
		{"unix:path=" + missing, here, errNoBus},
		{"unix:path=" + missing + ";unix:path=" + here, missing, nil},
		{"unix:path=" + folder + "/%62us", missing, nil},
		{"unix:path=" + plain, missing, errNoBus},
		{"unix:path=" + folder, missing, errNoBus},
		{"unix:abstract=/tmp/dbus-x", missing, nil},
		{"unix:abstract=", missing, errNoBus},
		{"unix:path=" + here + ";autolaunch:", missing, errForeign},
		{"unixexec:path=/bin/true", missing, errForeign},
		{"tcp:host=example.com,port=1", missing, errForeign},
		{"nonce-tcp:host=example.com", missing, errForeign},
		{"autolaunch:scope=user", missing, errForeign},
		{"nonsense", missing, errForeign},
	} {
		k := &Keyring{c.address, c.socket, forbidden(t)}
		if err := k.bus(); err != c.want {
			t.Errorf("%q, %q: %v, want %v", c.address, c.socket, err, c.want)
		}
		if c.want == nil {
			continue
		}
		_, getErr := k.Get("x")
		for _, err := range []error{getErr, k.Set("x", "y"), k.Delete("x")} {
			if err != c.want {
				t.Errorf("%q: %v", c.address, err)
			}
		}
	}
}

func TestReasons(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{nil, nil},
		{keyring.ErrNotFound, keyslot.ErrNoKey},
		{dbus.Error{Name: "org.freedesktop.DBus.Error.ServiceUnknown"}, errNobody},
		{dbus.Error{Name: "org.freedesktop.DBus.Error.Spawn.ExecFailed"}, errNobody},
		{dbus.Error{Name: "org.freedesktop.Secret.Error.IsLocked"}, errLocked},
		{errors.New("failed to unlock correct collection '/org/freedesktop/secrets/aliases/default'"), errLocked},
	} {
		if got := reason(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
	other := errors.New("something else")
	if reason(other) != other {
		t.Error("an unknown error was changed")
	}
}
