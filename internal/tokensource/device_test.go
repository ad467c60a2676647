package tokensource

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

func laptop() *cognito.Device {
	return &cognito.Device{Key: "eu-central-1_laptop", GroupKey: "-group", Password: token.NewSecret("device-password")}
}

func sameDevice(a, b *cognito.Device) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Key == b.Key && a.GroupKey == b.GroupKey && a.Password.Equal(b.Password)
}

// A device is the session's: it goes along with every renewal, and with the next sign-in of the same user.
func TestDeviceGoesAlong(t *testing.T) {
	w := newWorld(t)
	w.pool.device = laptop()
	w.login()
	w.pass(2 * time.Hour)
	w.mustToken()
	if got := strings.Join(w.pool.devices, " "); got != "eu-central-1_laptop" {
		t.Errorf("the refresh had the device %q", got)
	}
	for range 2 { // the second login gives no new one
		w.login()
		last := w.pool.signedIn[len(w.pool.signedIn)-1]
		if !sameDevice(last.Device, laptop()) || !slices.Contains(last.DeviceUsers, "alice") {
			t.Fatalf("the next sign-in had %+v of %q", last.Device, last.DeviceUsers)
		}
	}
	w.pass(2 * time.Hour)
	w.mustToken()
	if got := w.pool.devices[len(w.pool.devices)-1]; got != "eu-central-1_laptop" {
		t.Errorf("after another login the refresh had the device %q", got)
	}
}

// A session that has ended keeps its device for the login that replaces it.
func TestDeviceOutlivesTheSession(t *testing.T) {
	w := newWorld(t)
	w.pool.device = laptop()
	w.login()
	w.pool.current = "revoked at the server"
	w.pass(2 * time.Hour)
	_, err := w.token()
	w.wantKind(err, token.LoginNeeded, "")
	w.login()
	if got := w.pool.signedIn[1].Device; !sameDevice(got, laptop()) {
		t.Errorf("the sign-in had %+v", got)
	}
}

// A logout ends the session and leaves nothing of it but the device, which goes along with the same user's next sign-in.
func TestDeviceOutlivesALogout(t *testing.T) {
	w := newWorld(t)
	w.pool.device = laptop()
	w.login()
	if res, err := w.source().Logout(t.Context(), w.target(), LogoutOptions{}); err != nil || res.NothingThere || res.RevokeErr != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	if st, err := w.source().Status(w.target()); err != nil || st.State != SignedOut || st.User != "" {
		t.Errorf("after the logout: %+v, %v", st, err)
	}
	if _, err := w.source().Token(t.Context(), w.target(), Want{Use: token.UseAccess}); token.KindOf(err) != token.LoginNeeded || !strings.Contains(err.Error(), "nobody is signed in") {
		t.Errorf("a token after the logout: %v", err)
	}
	if kept, plain, err := w.source().o.Cache.LoadWhole(w.target().Identity().SessionID()); err != nil || !kept.Hot.Tokens.Access.Value.Empty() || strings.Contains(string(plain), `"refresh_token":"r`) {
		t.Errorf("what is left: %v, %s, %v", kept, plain, err)
	}
	if res, err := w.source().Logout(t.Context(), w.target(), LogoutOptions{}); err != nil || !res.NothingThere {
		t.Errorf("a second logout: %+v, %v", res, err)
	}
	w.pool.device = nil
	w.login()
	if got := w.pool.signedIn[1].Device; got == nil || got.Key != laptop().Key {
		t.Errorf("the next sign-in had %+v", got)
	}
	if _, err := w.source().Logout(t.Context(), w.target(), LogoutOptions{}); err != nil {
		t.Fatal(err)
	}
	w.pool.user = cognito.User{Name: "bob", Subject: "sub-bob"}
	w.login()
	w.pass(2 * time.Hour)
	w.mustToken()
	if got := w.pool.devices[0]; got != "" {
		t.Errorf("another user's refresh had the device %q", got)
	}
	// One that the user did not have remembered is no reason to leave anything.
	w.pool.device = &cognito.Device{Key: "refused", Password: token.NewSecret("p"), Refused: true}
	w.login()
	if _, err := w.source().Logout(t.Context(), w.target(), LogoutOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.source().o.Cache.LoadWhole(w.target().Identity().SessionID()); !errors.Is(err, tokencache.ErrNoSession) {
		t.Errorf("after a logout of a refused device: %v", err)
	}
}

func TestDeviceIsForgotten(t *testing.T) {
	for name, change := range map[string]func(*fakePool){
		"when Cognito forgot it":  func(p *fakePool) { p.forget = true },
		"with its user's session": func(p *fakePool) { p.user = cognito.User{Name: "bob", Subject: "sub-bob"} },
	} {
		w := newWorld(t)
		w.pool.device = laptop()
		w.login()
		change(w.pool)
		w.login()
		w.pass(2 * time.Hour)
		w.mustToken()
		if got := w.pool.devices[0]; got != "" {
			t.Errorf("%s: the refresh had the device %q", name, got)
		}
		w.login()
		if got := w.pool.signedIn[2].Device; got != nil {
			t.Errorf("%s: the next sign-in had %+v", name, got)
		}
	}
}

func TestDeviceThatIsReplaced(t *testing.T) {
	w := newWorld(t)
	w.pool.device = laptop()
	w.login()
	w.pool.forget, w.pool.device = true, &cognito.Device{Key: "newer"}
	w.pool.failed = errors.New("no such luck")
	got, err := w.source().Login(t.Context(), w.target(), LoginOptions{Force: true})
	if err != nil || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "no such luck") {
		t.Errorf("%+v, %v", got, err)
	}
	w.pass(2 * time.Hour)
	w.mustToken()
	if w.pool.devices[0] != "newer" {
		t.Errorf("the refresh had the device %q", w.pool.devices[0])
	}
}

// Which of two client secrets Cognito took is remembered, and forgotten as soon as it takes the first again.
func TestSecondSecretIsRemembered(t *testing.T) {
	w := newWorld(t)
	w.pool.second = true
	w.login()
	if w.pool.preferred != 0 {
		t.Error("the first login began with the second secret")
	}
	w.pass(2 * time.Hour)
	w.mustToken()
	if w.pool.preferred != 1 {
		t.Error("the refresh did not begin with the second secret")
	}
	w.pool.second = false
	w.pass(2 * time.Hour)
	w.mustToken()
	if w.pool.preferred != 2 {
		t.Error("a refresh forgot the second secret by itself")
	}
	if _, err := w.source().Logout(t.Context(), w.target(), LogoutOptions{}); err != nil || w.pool.preferred != 2 {
		t.Errorf("logout began with the second secret, though the first works again: %v", err)
	}
}
