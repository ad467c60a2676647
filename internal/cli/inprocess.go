package cli

import (
	"context"

	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
)

// signInHere signs in at the terminal where the profile keeps no session: only this process then has one, until it ends. Other
// profiles are left alone.
func (p *program) signInHere(ctx context.Context, r protocol.Request) error {
	profile, err := p.signInProfile(r.Profile)
	if err != nil || !inMemory(profile) {
		return err
	}
	if profile.AuthFlow == "browser" {
		return browserNotBuilt(r.Profile)
	}
	p.ownMemory = true
	answers, err := p.answering(answerFlags{}, prompt.NewValues(p.Stdin))
	if err != nil {
		return err
	}
	t := tokensource.Target{Profile: profile, Selection: r.Profile, Username: r.Username}
	_, err = p.signIn(ctx, t, answers, tokensource.LoginOptions{Metadata: profile.ClientMetadata})
	return ofProfile(r.Profile, err)
}
