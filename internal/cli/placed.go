package cli

import (
	"context"
	"crypto/sha256"

	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// placed are the sessions of a process that may keep some of them to itself: those of profiles with cognito_store = none are in
// its memory and end with it, all others are the store's. Safe for concurrent use.
type placed struct{ store, memory sessions }

var _ sessions = placed{}

func (s placed) of(t tokensource.Target) sessions {
	if inMemory(t.Profile) {
		return s.memory
	}
	return s.store
}

// inMemory reports whether nothing may be kept of the profile's sessions.
func inMemory(p profiles.Profile) bool { return p.Store == tokensource.StoreNone }

func (s placed) Token(ctx context.Context, t tokensource.Target, w tokensource.Want) (token.Token, error) {
	return s.of(t).Token(ctx, t, w)
}

func (s placed) Login(ctx context.Context, t tokensource.Target, o tokensource.LoginOptions) (tokensource.LoginResult, error) {
	return s.of(t).Login(ctx, t, o)
}

func (s placed) Logout(ctx context.Context, t tokensource.Target, o tokensource.LogoutOptions) (tokensource.LogoutResult, error) {
	return s.of(t).Logout(ctx, t, o)
}

func (s placed) LogoutEverywhere(ctx context.Context, t tokensource.Target) (tokensource.LogoutResult, error) {
	return s.of(t).LogoutEverywhere(ctx, t)
}

func (s placed) Status(t tokensource.Target) (tokensource.Status, error) { return s.of(t).Status(t) }

func (s placed) Reject(ctx context.Context, t tokensource.Target, hash [sha256.Size]byte) error {
	return s.of(t).Reject(ctx, t, hash)
}

// Live is about whatever place has the session.
func (s placed) Live(session string) bool { return s.memory.Live(session) || s.store.Live(session) }

// SealingKey is for what goes to a file: always the store's.
func (s placed) SealingKey(ctx context.Context, t tokensource.Target) (keyslot.Kind, keyslot.Key, error) {
	return s.store.SealingKey(ctx, t)
}

func (s placed) Adopt(
	ctx context.Context, t tokensource.Target, o tokensource.LoginOptions, sent token.Secret, get func(context.Context) (cognito.Result, error),
) (tokensource.LoginResult, error) {
	return s.of(t).Adopt(ctx, t, o, sent, get)
}

// placedAWS is placed for what is made from sessions.
type placedAWS struct{ store, memory awsProvider }

var _ awsProvider = placedAWS{}

func (a placedAWS) of(t tokensource.Target) awsProvider {
	if inMemory(t.Profile) {
		return a.memory
	}
	return a.store
}

func (a placedAWS) Derive(ctx context.Context, t tokensource.Target, b profiles.Binding, h profiles.Host, w tokensource.Want) (awscreds.Derived, error) {
	return a.of(t).Derive(ctx, t, b, h, w)
}

func (a placedAWS) Retrieve(ctx context.Context, t tokensource.Target, w tokensource.Want) (token.AWSCredentials, error) {
	return a.of(t).Retrieve(ctx, t, w)
}
