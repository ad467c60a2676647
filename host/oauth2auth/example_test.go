package oauth2auth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/host/oauth2auth"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
	"github.com/cognito-credhelper/cognito-credhelper/plugin/plugintest"
)

func Example() {
	client := plugintest.SignedIn() // in a program: host.Open(ctx, host.Options{})
	source := oauth2auth.New(context.Background(), client, plugin.Selection{Profile: "dev"}, plugin.UseAccess)
	token, err := source.Token() // or oauth2.NewClient(ctx, source), for one API
	fmt.Println(token.Type(), token.AccessToken, token.Valid(), token.RefreshToken == "", err)
	// Output: Bearer access-0 true true <nil>
}

func TestErrorsKeepTheirCode(t *testing.T) {
	if _, err := oauth2auth.New(t.Context(), &plugintest.Fake{}, plugin.Selection{}, plugin.UseID).Token(); !errors.Is(err, plugin.ErrLoginRequired) {
		t.Errorf("signed out: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := oauth2auth.New(ctx, plugintest.SignedIn(), plugin.Selection{}, plugin.UseID).Token(); err == nil {
		t.Error("a context that has ended was not looked at")
	}
}
