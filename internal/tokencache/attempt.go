package tokencache

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// # The lock file, format 1
//
// It is rewritten in place by whoever has the lock, and read without it; so each of its two parts has a checksum, and a part
// that does not match its own is taken for missing. It holds nothing that a session needs, and no secret.
//
//	offset  length
//	0       4       "cclk"                  who has, or last had, the lock
//	4       4       format: 1
//	8       4       pid
//	12      12      time
//	24      8       start of SHA-256 over bytes 0 to 24
//	32      4       "ccat"                  attempts
//	36      4       format: 1
//	40      4       n
//	44      8       start of SHA-256 over the n bytes
//	52      n       entries of tag 1, one per attempt, in turn of entries:
//	                1 work, 2 pid (4 bytes), 3 started, 4 ended, 5 token hash (8 bytes), 6 outcome (1 byte), 7 message,
//	                8 hint, 9 failures (4 bytes), 10 attached (1 byte; only where it is),
//	                11 settings hash (8 bytes)
const (
	holderMagic  = "cclk\x00\x00\x00\x01"
	holderSize   = 32
	attemptMagic = "ccat\x00\x00\x00\x01"
	attemptHead  = 20
	maxLockFile  = 64 << 10
	maxAttempts  = 16   // works per session
	maxSentence  = 1024 // bytes of a message, a hint, a work's name
)

// Attempt is what the lock file says about the last renewal. No secrets.
type Attempt struct {
	Work     string    // "refresh", "exchange <record>"
	PID      int       // of the process that works or worked
	Started  time.Time // wall clock
	Ended    time.Time // zero while it runs
	Token    [8]byte   // start of the hash of the refresh token that was sent; zero where none was, as by a login
	Outcome  Outcome
	Message  string // one sentence when it failed
	Hint     string
	Failures int     // transient failures in a row
	Settings [8]byte // start of a hash of the profile's files as they were: a failure may have been mended there
	Attached bool    // it ran in the caller's own process, because no worker could be started
}

// Outcome is how an attempt ended.
type Outcome uint8

// The outcomes.
const (
	Running Outcome = iota
	Done
	Transient
	Blocked
	Misconfigured
	Dead
)

// Failed reports whether an attempt with this outcome ended without what it was for.
func (o Outcome) Failed() bool { return o > Done }

// LastAttempt reads the recorded attempt without a lock; ok is false when there is none, or none that can be read.
// An attempt that is Running while nobody holds the lock is one whose process was killed.
func (c *Cache) LastAttempt(id, work string) (a Attempt, ok bool) {
	path, err := c.path(id, lockSuffix)
	if err != nil {
		return Attempt{}, false
	}
	for range readTries {
		data, err := c.at.read(path, maxLockFile)
		if err != nil {
			return Attempt{}, false
		}
		list, sound := decodeAttempts(data)
		if !sound {
			continue
		}
		i := slices.IndexFunc(list, func(a Attempt) bool { return a.Work == cut(work) })
		if i < 0 {
			return Attempt{}, false
		}
		return list[i], true
	}
	return Attempt{}, false
}

// Tried is when a renewal last began that makes a credential, whose steps are works, the last of them making it; zero where
// none did. An earlier step that succeeded may have been for something else and says nothing.
func Tried(last func(work string) (Attempt, bool), works ...string) time.Time {
	var latest time.Time
	for i, work := range works {
		a, ok := last(work)
		if ok && (a.Outcome != Done || i == len(works)-1) && a.Started.After(latest) {
			latest = a.Started
		}
	}
	return latest
}

// forcedWait keeps renewals apart that only a host's refusal asks for: a host that refuses everything must not wear out the
// session of all the others.
const forcedWait = 30 * time.Second

// LetsForce reports whether a token with this life, which a host refused, may be renewed for that alone after a, the last
// attempt at a refresh. Where a refresh is under way, or gave a newer token since the session was read, it says yes, too:
// the caller then finds that one. A login was no attempt: it gave what is refused now for the first time.
func (a Attempt) LetsForce(l token.Lifetime, now time.Time) bool {
	if a.Outcome == Running || a.Outcome == Done && (a.Token == [8]byte{} || l.Issued.Before(a.Started)) {
		return true
	}
	age := now.Sub(a.Started)
	return age < 0 || age >= forcedWait
}

// readTries is how often a reader looks again after it may have met a half-written file.
const readTries = 3

// Record keeps the state of an attempt in the lock file, durably where it is an intent (Running). The attempts of other
// works stay, at most sixteen, the youngest.
func (t *Tx) Record(a Attempt) error {
	if t.lock == nil {
		return errUnlocked
	}
	a.Work = cut(a.Work)
	list := slices.DeleteFunc(t.attempts(), func(o Attempt) bool { return o.Work == a.Work })
	// The new one comes last and is the last to go, also when the clock was set back.
	list = append(newest(list, maxAttempts-1, func(o Attempt) time.Time { return o.Started }), a)
	if err := t.writeAttempts(list); err != nil {
		return fileError("recording the attempt", err)
	}
	if a.Outcome != Running {
		return nil // a lost outcome costs one more request, never a session
	}
	// Durable before the request goes out: after a power cut it says why a refresh token may be spent.
	if err := t.lock.Sync(); err != nil {
		return fileError("recording the attempt", err)
	}
	return nil
}

func (t *Tx) attempts() []Attempt {
	data := make([]byte, maxLockFile)
	n, _ := t.lock.ReadAt(data, 0) // io.EOF is the rule, and anything else means that there is no attempt
	list, _ := decodeAttempts(data[:n])
	return list
}

// writeAttempts changes the file in place: a lock file is never replaced, since the lock is on its inode. A crash in between
// leaves a part that does not match its checksum: no attempt.
func (t *Tx) writeAttempts(list []Attempt) error {
	b := encodeAttempts(list)
	if _, err := t.lock.WriteAt(b, holderSize); err != nil {
		return err
	}
	return t.lock.Truncate(int64(holderSize + len(b)))
}

const tagAttempt uint16 = 1

const (
	tagWork uint16 = iota + 1
	tagPID
	tagStarted
	tagEnded
	tagToken
	tagOutcome
	tagMessage
	tagHint
	tagFailures
	tagAttached
	tagSettings
)

func encodeAttempts(list []Attempt) []byte {
	var body []byte
	for _, a := range list {
		body = appendEntry(body, tagAttempt, encodeAttempt(a))
	}
	sum := sha256.Sum256(body)
	b := append([]byte(attemptMagic), appendUint32(nil, uint32(len(body)))...)
	b = append(b, sum[:checksumSize]...)
	return append(b, body...)
}

func encodeAttempt(a Attempt) []byte {
	b := appendText(nil, tagWork, cut(a.Work))
	b = appendEntry(b, tagPID, appendUint32(nil, uint32(a.PID)))
	b = appendEntry(b, tagStarted, appendTime(nil, a.Started))
	b = appendEntry(b, tagEnded, appendTime(nil, a.Ended))
	b = appendEntry(b, tagToken, a.Token[:])
	b = appendEntry(b, tagOutcome, []byte{byte(a.Outcome)})
	b = appendText(b, tagMessage, cut(a.Message))
	b = appendText(b, tagHint, cut(a.Hint))
	b = appendEntry(b, tagFailures, appendUint32(nil, uint32(a.Failures)))
	b = appendEntry(b, tagSettings, a.Settings[:])
	if a.Attached {
		b = appendEntry(b, tagAttached, []byte{1})
	}
	return b
}

// cut bounds a text, not inside a character.
func cut(s string) string {
	if len(s) <= maxSentence {
		return s
	}
	return strings.ToValidUTF8(s[:maxSentence], "")
}

// decodeAttempts is sound also for a file that has no attempts yet.
func decodeAttempts(data []byte) (list []Attempt, sound bool) {
	if len(data) <= holderSize {
		return nil, true
	}
	b := data[holderSize:]
	if len(b) < attemptHead || string(b[:len(attemptMagic)]) != attemptMagic {
		return nil, false
	}
	n := uint64(uint32At(b[8:]))
	if n > uint64(len(b)-attemptHead) {
		return nil, false
	}
	body := b[attemptHead : attemptHead+int(n)]
	sum := sha256.Sum256(body)
	if !bytes.Equal(sum[:checksumSize], b[12:attemptHead]) {
		return nil, false
	}
	sound = entries(body, func(tag uint16, value, _ []byte) bool {
		if tag != tagAttempt {
			return true
		}
		a, ok := decodeAttempt(value)
		list = append(list, a)
		return ok
	})
	if !sound {
		return nil, false
	}
	return list, true
}

func decodeAttempt(b []byte) (a Attempt, ok bool) {
	ok = entries(b, func(tag uint16, value, _ []byte) bool {
		switch tag {
		case tagWork:
			a.Work = string(value)
		case tagPID:
			return decodeInt(value, &a.PID)
		case tagStarted:
			return decodeTime(value, &a.Started)
		case tagEnded:
			return decodeTime(value, &a.Ended)
		case tagToken:
			return copy(a.Token[:], value) == len(value) && len(value) == len(a.Token)
		case tagOutcome:
			if len(value) != 1 {
				return false
			}
			a.Outcome = Outcome(value[0])
		case tagMessage:
			a.Message = string(value)
		case tagHint:
			a.Hint = string(value)
		case tagFailures:
			return decodeInt(value, &a.Failures)
		case tagAttached:
			a.Attached = true
		case tagSettings:
			return copy(a.Settings[:], value) == len(value) && len(value) == len(a.Settings)
		}
		return true
	})
	return a, ok
}

func decodeInt(b []byte, n *int) bool {
	if len(b) != 4 {
		return false
	}
	*n = int(uint32At(b))
	return true
}

// stamp says in the lock file who has the lock, for the sentence that others get when they wait in vain. It is no part of
// the lock: a full disk, on which it fails, must not keep anybody from locking.
func stamp(f lockFile, now time.Time) {
	b := append([]byte(holderMagic), appendUint32(nil, uint32(os.Getpid()))...)
	b = appendTime(b, now)
	sum := sha256.Sum256(b)
	_, _ = f.WriteAt(append(b, sum[:checksumSize]...), 0)
}

// holder reads the stamp of a lock file; the zero Holder when there is none.
func (c *Cache) holder(id, suffix string) Holder {
	data, err := c.at.read(filepath.Join(c.folder, id+suffix), maxLockFile)
	if err != nil || len(data) < holderSize || string(data[:len(holderMagic)]) != holderMagic {
		return Holder{}
	}
	const end = holderSize - checksumSize
	sum := sha256.Sum256(data[:end])
	if !bytes.Equal(sum[:checksumSize], data[end:holderSize]) {
		return Holder{}
	}
	return Holder{int(uint32At(data[8:])), timeAt(data[12:])}
}
