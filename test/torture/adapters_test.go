//go:build unix && torture

package torture

import (
	"slices"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/all"
)

// A front end that no storm goes through is one of which nobody knows whether it refreshes by itself.
func TestEveryAdapterIsInTheStorm(t *testing.T) {
	for _, a := range all.Adapters(nil) {
		if !slices.ContainsFunc(frontEnds(), func(e frontEnd) bool { return e.verb == a.Verb }) {
			t.Errorf("the adapter %s has no line in frontEnds (test/torture/storm_test.go)", a.Verb)
		}
	}
}
