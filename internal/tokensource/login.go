package tokensource

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
)

const (
	storeWait  = 65 * time.Second // the longest that login and logout wait for a renewal in flight: a worker lives for a minute
	revokeWait = 5 * time.Second  // the longest that telling Cognito about an old session may take
)

// LoginOptions says how to sign in.
type LoginOptions struct {
	Answers  challenge.Answerer
	Metadata map[string]string
	Force    bool          // answers every confirmation with yes
	IfNeeded bool          // leaves a good session alone
	MinTTL   time.Duration // with IfNeeded: how long what is kept must still serve
	Store    string        // where the session's key goes, in the words of cognito_store; "" means as the profile says
	// Confirm asks a yes/no question; nil when nobody can be asked, which then is an error of kind token.Usage that names
	// --force.
	Confirm func(ctx context.Context, question string) (bool, error)
}

// LoginResult says what a login did.
type LoginResult struct {
	User     string // the real user name
	Tokens   token.Lifetime
	Slot     keyslot.Kind
	SlotWas  keyslot.Kind // of the session that was there; 0 when there was none
	Instead  error        // why Slot is not the one that auto prefers; nil when it is
	Kept     bool         // IfNeeded found a good session
	Revoked  bool         // an older session was replaced and its refresh token revoked
	Warnings []string     // one sentence each
	// OwnSession is set when --username selected a session other than the profile's own: tools must then be given
	// --username, too.
	OwnSession bool
}

// Login signs a person in. A failed login changes nothing.
func (s *Source) Login(ctx context.Context, t Target, o LoginOptions) (LoginResult, error) {
	l := &login{Source: s, target: t, o: o, id: t.Identity().SessionID()}
	if o.IfNeeded {
		if kept, err := s.Acquire(ctx, t, tokens{token.UseAccess}, Want{Use: token.UseAccess, MinTTL: o.MinTTL}); err == nil {
			return l.kept(kept)
		} else if token.KindOf(err) != token.LoginNeeded && (o.Store == "" || !errors.Is(err, keyslot.ErrUnavailable)) {
			return LoginResult{}, err
		}
	}
	unlock, err := l.alone()
	if err != nil {
		return LoginResult{}, err
	}
	defer unlock()
	key, err := l.begin(ctx)
	if err != nil {
		return LoginResult{}, err
	}
	defer key.Wipe()
	if err := l.checkRoom(ctx); err != nil {
		return LoginResult{}, err
	}
	client, err := s.client(t, l.old)
	if err != nil {
		return LoginResult{}, err
	}
	l.client = client
	got, err := client.SignIn(ctx, l.signIn(), o.Answers)
	if err != nil {
		return LoginResult{}, err
	}
	return l.keep(ctx, key, got)
}

// login is one run of Login.
type login struct {
	*Source
	target Target
	o      LoginOptions
	id     string
	client Client
	old    cold   // the session that was there; zero when there was none that can be read
	live   bool   // and it has not ended
	agreed bool   // the person agreed to replace another user's session
	aside  string // where a damaged session file went
	unread bool   // a session is there whose key slot cannot be used, and which is not the new one's

	adopts bool         // the tokens are Adopt's: its caller has them, too
	sent   token.Secret // what they were got with

	slotChoice
}

// begin finds the place for the session's key, looks at what is there, and gives the key.
func (l *login) begin(ctx context.Context) (keyslot.Key, error) {
	if err := l.choose(); err != nil {
		return keyslot.Key{}, err
	}
	if err := l.lookBefore(ctx); err != nil {
		return keyslot.Key{}, err
	}
	return l.createKey(ctx)
}

// signIn says how to sign in. The device goes along for the user whom it was remembered for, and for nobody else.
func (l *login) signIn() cognito.SignIn {
	p := l.target.Profile
	return cognito.SignIn{
		Flow: p.AuthFlow, Username: l.target.loginName(), Metadata: l.o.Metadata, Preferred: p.PreferredChallenge, MFA: p.MFAType,
		Device: l.old.device(), DeviceUsers: l.old.names(),
	}
}

// alone takes the lock of interactive logins. Nobody waits for a person: who comes second is told so.
func (l *login) alone() (unlock func() error, err error) {
	unlock, holder, ok, err := l.Source.o.Cache.TryLockLogin(l.id)
	if err == nil && !ok {
		err = &token.Error{
			Kind:    token.Unavailable,
			Message: "another login for this session is in flight" + who(holder),
			Next:    "finish that one, or end it",
		}
	}
	return unlock, err
}

func (l *login) kept(k *tokencache.Session) (LoginResult, error) {
	var c cold
	if _, plain, err := l.Source.o.Cache.LoadWhole(l.id); err == nil {
		_ = c.decode(plain)
	}
	return LoginResult{User: c.User, Tokens: k.Hot.Tokens.Access.Lifetime, Slot: k.Slot, Kept: true, OwnSession: l.target.ownSession()}, nil
}

// lookBefore asks before a live session is replaced, and refuses what must not be written over.
func (l *login) lookBefore(ctx context.Context) error {
	kept, plain, err := l.Source.o.Cache.LoadWhole(l.id)
	switch {
	case token.KindOf(err) == token.LoginNeeded:
		return nil // none, or none that can be read
	case errors.Is(err, keyslot.ErrUnavailable) && l.was != l.slot:
		l.unread = true // somebody chose another slot because of that; the file is set aside, not destroyed
		return nil
	case err != nil:
		return loginNeededFor(l.target, err)
	}
	if err := l.old.decode(plain); err != nil || kept.Hot.Dead != nil {
		return nil
	}
	l.live = true
	until := kept.Hot.Tokens.Access.Lifetime.Expires.Local().Format("Mon 15:04")
	is := l.old.User + " is signed in (token until " + until + ")"
	if name := l.target.loginName(); name != "" && !l.old.isNamed(name) {
		l.agreed = true
		return l.confirm(ctx, is+"; replace this session by one of "+name+"?")
	}
	return l.confirm(ctx, is+"; sign in again?")
}

// confirm asks, where --force did not answer already.
func (l *login) confirm(ctx context.Context, question string) error {
	if l.o.Force {
		return nil
	}
	if l.o.Confirm == nil {
		return &token.Error{Kind: token.Usage, Message: "there is no terminal to confirm: " + question, Next: LoginCommand(l.target) + " --force"}
	}
	yes, err := l.o.Confirm(ctx, question)
	if err == nil && !yes {
		err = &token.Error{Kind: token.Failure, Message: "nothing was changed"}
	}
	return err
}

// checkRoom makes sure that a session can be written, before a person types or Cognito rotates anything for it.
func (l *login) checkRoom(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	tx, err := l.Source.o.Cache.Lock(ctx, l.id)
	if err != nil {
		return err
	}
	defer tx.Unlock()
	return tx.Preflight()
}

// keep makes the new session durable, then tells Cognito that the old one is over.
func (l *login) keep(ctx context.Context, key keyslot.Key, got cognito.Result) (LoginResult, error) {
	if l.live && !l.agreed && l.old.Subject != got.User.Subject {
		if err := l.confirm(ctx, "this replaces the session of "+l.old.User+" by one of "+got.User.Name+"; go on?"); err != nil {
			l.drop(ctx, got.Refresh)
			return LoginResult{}, err
		}
	}
	fresh := cold{
		Refresh: got.Refresh, User: got.User.Name, Subject: got.User.Subject, Typed: l.target.loginName(),
		Flow: cmp.Or(l.target.Profile.AuthFlow, cognito.DefaultFlow), LoggedIn: l.Source.o.Now().Wall,
		SecretNext: got.SecretNext,
	}
	fresh.setDevice(l.device(got))
	plain, err := fresh.encode()
	if err != nil {
		return LoginResult{}, err
	}
	defer clear(plain)
	if err := l.write(ctx, key, tokencache.Hot{Tokens: got.Tokens}, plain); err != nil {
		l.drop(ctx, got.Refresh)
		return LoginResult{}, err
	}
	res := LoginResult{User: got.User.Name, Tokens: got.Tokens.Access.Lifetime, Slot: l.slot, SlotWas: l.was, Instead: l.instead, OwnSession: l.target.ownSession()}
	if l.unread {
		res.Warnings = append(res.Warnings, "the session before this one could not be read, so it was not revoked; its file is kept under another name")
	}
	if l.aside != "" {
		res.Warnings = append(res.Warnings, "the session file was damaged and is kept as "+l.aside)
	}
	if got.DeviceErr != nil {
		message, _ := sentence(got.DeviceErr)
		res.Warnings = append(res.Warnings, "this computer could not be registered as a device of the user, so that the session may not be renewed: "+message)
	}
	// Of a session that has ended nothing is left to revoke; but where its file was a copy, its token may be the first of a
	// family that lives on, on the machine that the copy came from.
	if l.live && !l.old.Refresh.Empty() && !l.old.Refresh.Equal(got.Refresh) && !l.old.Refresh.Equal(l.sent) {
		if err := l.revoke(ctx, l.old.Refresh); err == nil {
			res.Revoked = true
		} else {
			message, _ := sentence(err)
			res.Warnings = append(res.Warnings, "the session before this one could not be revoked: "+message)
		}
	}
	return res, nil
}

// device is what the new session keeps: the device that this sign-in gave, else the one of the same user before it.
func (l *login) device(got cognito.Result) *cognito.Device {
	switch {
	case got.Device != nil:
		return got.Device
	case got.ForgetDevice || l.old.Subject != got.User.Subject:
		return nil
	default:
		return l.old.device()
	}
}

// write replaces the session file under the session's lock; Create sets a damaged one aside.
func (l *login) write(ctx context.Context, key keyslot.Key, hot tokencache.Hot, plain []byte) error {
	if l.adopts {
		ctx = context.WithoutCancel(ctx) // what Cognito gave is there: an interrupt must not lose it
	}
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	tx, err := l.Source.o.Cache.Lock(ctx, l.id)
	if err != nil {
		return err
	}
	defer tx.Unlock()
	_, latest, err := tx.Load()
	var damaged *tokencache.DamagedError
	switch {
	case err == nil:
		_ = l.old.decode(latest) // a refresh may have rotated the token while the person was typing
	case errors.As(err, &damaged):
		if l.aside, err = tx.SetAside(); err != nil {
			return err
		}
	}
	// The key may have been dropped while the person was typing: a migration saw no session that needs it.
	key, release, err := l.Source.o.Slots.Hold(ctx, l.slot, key)
	if err != nil {
		return err
	}
	defer release()
	defer key.Wipe()
	if err := tx.Create(l.target.Identity(), l.slot, key, hot, plain); err != nil {
		return err
	}
	now := l.Source.o.Now().Wall
	_ = tx.Record(tokencache.Attempt{Work: workRefresh, PID: l.Source.o.PID, Started: now, Ended: now, Outcome: tokencache.Done})
	return nil
}

// drop revokes a refresh token that could not be kept, so that nobody can use it, unless somebody else has it.
func (l *login) drop(ctx context.Context, refresh token.Secret) {
	if !l.adopts {
		_ = l.revoke(ctx, refresh)
	}
}

// revoke tells Cognito, within a short time, also when the caller was interrupted.
func (l *login) revoke(ctx context.Context, refresh token.Secret) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeWait)
	defer cancel()
	return l.client.Revoke(ctx, refresh)
}
