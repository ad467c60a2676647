// Package history remembers the last calls of the service: when, what, where, and how they ended.
//
// It guarantees a private file that is replaced whole, and that no parameter and no token is in it. What cannot be
// remembered is forgotten: history never makes anything else fail, nor waits for long.
// Safe for use by many processes on one machine; a Log is safe for concurrent use.
package history

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/filelock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	// Limit is how many calls are remembered.
	Limit = 20

	fileLimit = 64 << 10
	lockWait  = time.Second
	wordLimit = 80
)

// Call is one call that has ended.
type Call struct {
	Time      time.Time `json:"time"`
	Operation string    `json:"operation"`
	Region    string    `json:"region"`
	Status    int       `json:"status"` // HTTP; 0 without an answer
	Code      string    `json:"code"`   // of the error; "" for success
	RequestID string    `json:"request_id"`
	Took      int64     `json:"ms"`
}

// Log is the history of one state folder, and the calls of this process that are not in it yet.
type Log struct {
	folder string

	mu  sync.Mutex
	new []Call
}

// Open names the state folder; nothing is read or written.
func Open(folder string) *Log { return &Log{folder: folder} }

// Note remembers a call in memory, until Flush. It does not block.
func (l *Log) Note(c Call) {
	for _, text := range []*string{&c.Operation, &c.Region, &c.Code, &c.RequestID} {
		*text = safetext.Line(*text, wordLimit) // RequestID and Code are the server's
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.new = last(append(l.new, c))
}

// Flush adds what was noted to the file, and makes its folder where there is none.
func (l *Log) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.new) == 0 {
		return nil
	}
	if err := atomicfile.MakeFolder(l.folder); err != nil {
		return err
	}
	return l.add()
}

// FlushBehind is Flush for who goes on when the caller has its answer: a folder that was removed meanwhile is not made again, and
// what was noted is forgotten.
func (l *Log) FlushBehind() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.new) == 0 {
		return nil
	}
	if _, err := os.Lstat(l.folder); err != nil {
		l.new = nil
		return err
	}
	return l.add()
}

func (l *Log) add() error {
	return l.locked(func() error {
		old, err := l.read()
		if err != nil && token.KindOf(err) != token.Failure {
			return err // others could have written it
		}
		data, err := json.Marshal(file{format, last(append(old, l.new...))})
		if err == nil {
			err = atomicfile.Write(l.path(), data)
		}
		if err == nil {
			l.new = nil
		}
		return err
	})
}

// Calls are the remembered calls, the oldest first.
func (l *Log) Calls() ([]Call, error) {
	calls, err := l.read()
	if err == nil {
		slices.SortStableFunc(calls, func(a, b Call) int { return a.Time.Compare(b.Time) })
	}
	return calls, err
}

// Clear forgets all.
func (l *Log) Clear() error {
	if _, err := l.read(); errors.Is(err, errNone) {
		return nil
	}
	if err := l.locked(func() error { return atomicfile.Remove(l.path()) }); err != nil {
		return &token.Error{Kind: token.Failure, Message: "the history cannot be cleared", Err: err}
	}
	return nil
}

// format is the version of the file that this program writes. A file of a higher one is left alone.
const format = 1

// file is the content: a JSON object.
type file struct {
	Format int    `json:"format"`
	Calls  []Call `json:"calls"`
}

var errNone = errors.New("no history")

// read gives what the file has. A damaged one is an error of kind token.Failure, an unsafe one of kind token.BadProfile.
func (l *Log) read() ([]Call, error) {
	data, err := atomicfile.Read(l.path(), fileLimit)
	var unsafe *atomicfile.UnsafeError
	var f file
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNone
	case errors.As(err, &unsafe):
		return nil, &token.Error{Kind: token.BadProfile, Message: unsafe.Error(), Next: unsafe.Fix}
	case err == nil:
		err = json.Unmarshal(data, &f)
	}
	if err != nil {
		return nil, &token.Error{Kind: token.Failure, Message: "the history cannot be read", Next: "cognito-credhelper history --clear", Err: err}
	}
	if f.Format > format {
		return nil, &token.Error{Kind: token.BadProfile, Message: "the history was written by a newer version of cognito-credhelper", Next: "upgrade cognito-credhelper"}
	}
	return last(f.Calls), nil
}

// IsNone reports that nothing was remembered yet.
func IsNone(err error) bool { return errors.Is(err, errNone) }

// locked keeps two processes from losing each other's calls.
func (l *Log) locked(do func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), lockWait)
	defer cancel()
	lock, err := filelock.Lock(ctx, filepath.Join(l.folder, "history.lock"))
	if err != nil {
		return err
	}
	defer filelock.Unlock(lock)
	return do()
}

func (l *Log) path() string { return filepath.Join(l.folder, "history.json") }

func last(calls []Call) []Call { return calls[max(0, len(calls)-Limit):] }
