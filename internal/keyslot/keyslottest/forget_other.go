//go:build !linux

package keyslottest

import (
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
)

// Forget does nothing: only Linux has copies.
func Forget(testing.TB, keyslot.KeyID) {}
