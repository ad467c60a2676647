package smithyauth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/host/smithyauth"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
	"github.com/cognito-credhelper/cognito-credhelper/plugin/plugintest"
)

func Example() {
	client := plugintest.SignedIn() // in a program: host.Open(ctx, host.Options{})
	provider := smithyauth.New(client, plugin.Selection{Profile: "dev"}, plugin.UseID)
	token, err := provider.RetrieveBearerToken(context.Background())
	fmt.Println(token.Value, token.CanExpire, err)
	// Output: id-0 true <nil>
}

func TestUse(t *testing.T) {
	got, err := smithyauth.New(plugintest.SignedIn(), plugin.Selection{}, plugin.UseAccess).RetrieveBearerToken(t.Context())
	if err != nil || got.Value != "access-0" {
		t.Errorf("got %v, %v", got.Value, err)
	}
	if _, err := smithyauth.New(&plugintest.Fake{}, plugin.Selection{}, plugin.UseAccess).RetrieveBearerToken(t.Context()); !errors.Is(err, plugin.ErrLoginRequired) {
		t.Errorf("signed out: %v", err)
	}
}
