//go:build unix

package statefolder

import (
	"runtime"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func TestFind(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the table is Linux's; other platforms have their own place: " + runtime.GOOS)
	}
	for _, c := range []struct {
		name    string
		env     map[string]string
		folder  string
		ignored string
		kind    token.Kind
	}{
		{"own", map[string]string{"COGNITO_CREDHELPER_HOME": "/x/y/", "HOME": "/h"}, "/x/y", "", 0},
		{"own, relative", map[string]string{"COGNITO_CREDHELPER_HOME": "x", "HOME": "/h"}, "", "", token.BadProfile},
		{"xdg", map[string]string{"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/cognito-credhelper", "", 0},
		{"xdg, relative", map[string]string{"XDG_STATE_HOME": "s", "HOME": "/h"}, "/h/.local/state/cognito-credhelper", "XDG_STATE_HOME", 0},
		{"home", map[string]string{"HOME": "/h"}, "/h/.local/state/cognito-credhelper", "", 0},
		{"nothing", nil, "", "", token.BadProfile},
		{"home, relative", map[string]string{"HOME": "h"}, "", "", token.BadProfile},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder, ignored, err := Find(func(k string) string { return c.env[k] })
			if folder != c.folder || ignored != c.ignored || token.KindOf(err) != c.kind {
				t.Errorf("got %q, %q, %v", folder, ignored, err)
			}
		})
	}
}
