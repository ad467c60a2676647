// Package all lists the adapters that the front and the complete program share, and the names they are found by.
//
// It does nothing else: deleting an adapter's folder breaks one line here.
package all

import (
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/bazelcredential"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/cargocredential"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/credentialprocess"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/dockercredential"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/execcredential"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/gcpexecutable"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/gitcredential"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/goauth"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/pipkeyring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/pnpmtokenhelper"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/printtoken"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/terraformcredentials"
)

// Adapters gives every shared adapter. claims shows what a token says; the front has none and passes nil.
func Adapters(claims printtoken.Claims) []protocol.Adapter {
	return []protocol.Adapter{
		credentialprocess.Adapter(),
		printtoken.Adapter(claims),
		gitcredential.Adapter(),
		goauth.Adapter(),
		cargocredential.Adapter(),
		bazelcredential.Adapter(),
		pipkeyring.Adapter(),
		pnpmtokenhelper.Adapter(),
		dockercredential.Adapter(),
		terraformcredentials.Adapter(),
		execcredential.Adapter(),
		gcpexecutable.Adapter(),
	}
}
