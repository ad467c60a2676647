package cli

import (
	"slices"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/statefolder"
)

// Caller and worker must mean the same folders: what the worker saves, or spills, its caller looks for.
func TestWorkerFindsTheSameFolders(t *testing.T) {
	asked := func(name string) string {
		if !slices.Contains(workerVariables, name) {
			t.Errorf("the worker does not get %s", name)
		}
		return ""
	}
	_, _, _ = statefolder.Find(asked)
	statefolder.Spill(asked)
}
