package tokencache

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/filelock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const loginHint = "cognito-credhelper login"

// ErrNoSession says that there is no session file. Its kind is token.LoginNeeded.
var ErrNoSession error = &token.Error{Kind: token.LoginNeeded, Message: "nobody is signed in", Next: loginHint}

// ErrOtherKey says that the session was encrypted with a data key that its slot no longer has. The file is sound and kept.
var ErrOtherKey = errors.New("the data key was replaced")

// DamagedError says that a session file is not what this program wrote: cut, changed, or another session's. It comes inside
// a *token.Error of kind LoginNeeded. Tx.SetAside moves such a file out of the way.
type DamagedError struct {
	Path   string
	Reason string
}

// Error gives path and reason.
func (e *DamagedError) Error() string { return e.Path + " " + e.Reason }

// NewerError says that a newer version wrote the file in a way that this one cannot read. It comes inside a *token.Error of
// kind BadProfile. The file is left alone by everything in this package.
type NewerError struct{ Path string }

// Error gives the path.
func (e *NewerError) Error() string { return e.Path + " was written by a newer version" }

var (
	errNewer    = errors.New("was written by a newer version")
	errCut      = errors.New("is cut short or has wrong lengths")
	errMagic    = errors.New("is not a session file")
	errChecksum = errors.New("has a damaged header")
	errHeader   = errors.New("has an incomplete header")
	errSwapped  = errors.New("is the file of another session")
	errSealed   = errors.New("cannot be decrypted: it was changed")
	errRecord   = errors.New("has an unreadable record")

	errUnlocked  = errors.New("tokencache: the transaction is over")
	errNotLoaded = errors.New("tokencache: save without a load in the same transaction")
	errIdentity  = errors.New("tokencache: the identity is that of another session")
	errReadable  = errors.New("tokencache: only a session that cannot be read is set aside")
	errKey       = errors.New("tokencache: the key is not the one that the session names")
	errTooLarge  = errors.New("tokencache: the session is larger than 1 MiB")
)

func (c *Cache) damaged(id string, reason error) error {
	path, _ := c.path(id, sessionSuffix)
	return &token.Error{
		Kind: token.LoginNeeded, Message: "the session file is damaged", Next: loginHint,
		Err: &DamagedError{path, reason.Error()},
	}
}

func newer(path string) error {
	return &token.Error{
		Kind: token.BadProfile, Message: "the session was written by a newer version of cognito-credhelper",
		Next: "upgrade cognito-credhelper", Err: &NewerError{path},
	}
}

// fileError gives an error of the file system the kind and the hint that a person needs.
func fileError(doing string, err error) error {
	var unsafe *atomicfile.UnsafeError
	switch {
	case errors.As(err, &unsafe):
		return &token.Error{Kind: token.BadProfile, Message: unsafe.Error(), Next: unsafe.Fix, Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &token.Error{Kind: token.BadProfile, Message: doing + " is not permitted", Err: err}
	case diskFull(err):
		return &token.Error{Kind: token.Unavailable, Message: doing + " failed because the disk is full", Next: "free some space", Err: err}
	case errors.Is(err, syscall.EROFS):
		return &token.Error{Kind: token.Unavailable, Message: doing + " failed because the disk is read-only", Next: "make it writable, or set COGNITO_CREDHELPER_HOME to a folder on another disk", Err: err}
	default:
		return &token.Error{Kind: token.Unavailable, Message: doing + " failed", Err: err}
	}
}

// diskFull knows the words of Unix (ENOSPC, EDQUOT) and of Windows (ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL).
func diskFull(err error) bool {
	if runtime.GOOS == "windows" {
		return errors.Is(err, syscall.Errno(39)) || errors.Is(err, syscall.Errno(112))
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// lockFailure says who keeps a lock busy, where that is why it failed.
func (c *Cache) lockFailure(id, suffix string, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return &token.Error{Kind: token.Interrupted, Message: "waiting for the session's lock was interrupted", Err: err}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, filelock.ErrHeld):
		return &token.Error{Kind: token.Unavailable, Message: c.holder(id, suffix).sentence(), Next: "wait for that process, or end it", Err: err}
	default:
		return fileError("locking the session", err)
	}
}

// Holder is who has, or last had, a lock. PID is 0 when that is not known.
type Holder struct {
	PID   int
	Since time.Time
}

func (h Holder) sentence() string {
	if h.PID == 0 {
		return "another process has the session's lock"
	}
	return "process " + strconv.Itoa(h.PID) + " has had the session's lock since " + h.Since.Local().Format("15:04:05")
}
