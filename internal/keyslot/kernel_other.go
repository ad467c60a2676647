//go:build !linux

package keyslot

import "errors"

var errNoCopy = errors.New("only Linux has a keyring in the kernel")

func loadCopy(KeyID) (Key, bool) { return Key{}, false }
func saveCopy(Key) error         { return errNoCopy }
func dropCopy(KeyID)             {}
