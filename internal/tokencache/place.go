package tokencache

import (
	"context"
	"io"
	"os"

	"github.com/cognito-credhelper/cognito-credhelper/internal/atomicfile"
	"github.com/cognito-credhelper/cognito-credhelper/internal/filelock"
)

// place is where session files and their locks are: on a disk, or in the memory of this process. What is not there gives
// fs.ErrNotExist.
type place interface {
	read(path string, limit int64) ([]byte, error)
	write(path string, data []byte) error
	// prepare makes room for size bytes, which the pending file then has.
	prepare(path string, size int) (pending, error)
	remove(path string) error
	// sweep takes away what killed processes left in a folder.
	sweep(folder string) error

	lock(ctx context.Context, path string) (lockFile, error)
	tryLock(path string) (l lockFile, ok bool, err error)
	// wait returns when nobody has the lock.
	wait(ctx context.Context, path string) error
	held(path string) bool
}

// pending is a file that is about to be replaced.
type pending interface {
	Commit(data []byte) error
	Abort()
}

// lockFile is a lock that is held, and the file that it is on.
type lockFile interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	// unlock lets the lock go.
	unlock() error
	// leave lets this copy of it go only: a child has another one.
	leave() error
	// file is what a child gets; nil where no child can have it.
	file() *os.File
}

// disk is the place of sessions that outlive a process.
type disk struct{ waiters filelock.Waiters }

func (*disk) read(path string, limit int64) ([]byte, error) { return atomicfile.Read(path, limit) }
func (*disk) write(path string, data []byte) error          { return atomicfile.Write(path, data) }
func (*disk) remove(path string) error                      { return atomicfile.Remove(path) }
func (*disk) sweep(folder string) error                     { return atomicfile.Sweep(folder) }
func (*disk) held(path string) bool                         { return filelock.Held(path) }
func (d *disk) wait(ctx context.Context, path string) error { return d.waiters.Wait(ctx, path) }

func (*disk) prepare(path string, size int) (pending, error) {
	p, err := atomicfile.Prepare(path, size)
	if err != nil {
		return nil, err // not p, which would be a pending that is nil inside
	}
	return p, nil
}

func (d *disk) lock(ctx context.Context, path string) (lockFile, error) {
	f, err := d.waiters.Lock(ctx, path)
	if err != nil {
		return nil, err
	}
	return diskLock{f}, nil
}

func (*disk) tryLock(path string) (lockFile, bool, error) {
	f, ok, err := filelock.Try(path)
	if err != nil || !ok {
		return nil, false, err
	}
	return diskLock{f}, true, nil
}

// diskLock is a lock that the kernel keeps.
type diskLock struct{ *os.File }

func (l diskLock) unlock() error  { return filelock.Unlock(l.File) }
func (l diskLock) leave() error   { return l.Close() }
func (l diskLock) file() *os.File { return l.File }
