package keyslot

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// The copy of a key of the slot OS lives in the kernel's user keyring (keyrings(7), user-keyring(7)): memory that no disk
// sees, that no other user reads, and that is gone after a reboot. Reading it takes two system calls, where the Secret
// Service takes a D-Bus connection.
const (
	copyLife = 8 * time.Hour // from its last use

	copyPrefix = "cognito-credhelper:"

	// copyRights are the possessor's all, and view, read, search, and setattr for every process of the user. Without the
	// latter only a process whose session keyring links the user keyring could read it: not one in a fresh session keyring,
	// as "keyctl session", su, and systemd services have.
	copyRights = 0x3f2b0000
)

var errCopy = errors.New("the kernel's keyring does not give back what it was given")

func copyName(id KeyID) string { return copyPrefix + hexText(id[:]) }

// loadCopy finds the copy of exactly this key, and lets it live on.
func loadCopy(id KeyID) (Key, bool) {
	serial, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", copyName(id), 0)
	if err != nil {
		return Key{}, false
	}
	var b [KeySize + 1]byte // one more, so that a longer one shows
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, serial, b[:], 0)
	if err != nil || n != KeySize {
		clear(b[:])
		return Key{}, false
	}
	key := keyOf((*[KeySize]byte)(b[:KeySize]))
	if key.ID() != id {
		key.Wipe()
		return Key{}, false
	}
	_ = letCopyLive(serial)
	return key, true
}

func letCopyLive(serial int) error {
	_, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, serial, int(copyLife/time.Second), 0, 0)
	return err
}

// saveCopy leaves a copy that every process of the user can read, or none.
func saveCopy(key Key) error {
	serial, err := unix.AddKey("user", copyName(key.ID()), key.bytes()[:], unix.KEY_SPEC_USER_KEYRING)
	if err != nil {
		return err
	}
	if err := checkCopy(serial, key); err != nil {
		dropCopy(key.ID())
		return err
	}
	return nil
}

func checkCopy(serial int, key Key) error {
	if err := letCopyLive(serial); err != nil {
		return err
	}
	if err := unix.KeyctlSetperm(serial, copyRights); err != nil {
		return err
	}
	back, ok := loadCopy(key.ID())
	back.Wipe()
	if !ok {
		return errCopy
	}
	return nil
}

// dropCopy takes the copy out of the keyring; the kernel wipes it.
func dropCopy(id KeyID) {
	serial, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", copyName(id), 0)
	if err == nil {
		_, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, serial, unix.KEY_SPEC_USER_KEYRING, 0, 0)
	}
}
