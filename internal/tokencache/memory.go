package tokencache

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
)

// OpenInMemory gives a store that ends with this process: the same transactions and the same encrypted files as of Open, none of
// which ever comes to a disk. Sessions in it are seen by this process only. There is no folder, no spill, and no lock for a
// child: renewals must be made in this process.
func OpenInMemory(slots *keyslot.Slots) *Cache {
	// A folder in which nothing can be: whatever forgot where it is fails.
	c := Open(os.DevNull, slots)
	c.at = &memory{files: map[string][]byte{}, locks: map[string]chan struct{}{}}
	return c
}

// memory is the place of sessions that nothing is kept of. Safe for concurrent use.
type memory struct {
	mu    sync.Mutex
	files map[string][]byte
	locks map[string]chan struct{} // that are held; closed when they are let go
}

func (m *memory) read(path string, _ int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.files[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(data), nil
}

func (m *memory) write(path string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.files[path])
	m.files[path] = bytes.Clone(data)
	return nil
}

func (m *memory) remove(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.files[path])
	delete(m.files, path)
	return nil
}

func (m *memory) prepare(path string, _ int) (pending, error) { return memoryPending{m, path}, nil }
func (*memory) sweep(string) error                            { return nil }

// memoryPending has its room always.
type memoryPending struct {
	m    *memory
	path string
}

func (p memoryPending) Commit(data []byte) error { return p.m.write(p.path, data) }
func (memoryPending) Abort()                     {}

func (m *memory) lock(ctx context.Context, path string) (lockFile, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if l, ok, _ := m.tryLock(path); ok {
			return l, nil
		}
		if err := m.wait(ctx, path); err != nil {
			return nil, err
		}
	}
}

func (m *memory) tryLock(path string) (lockFile, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[path] != nil {
		return nil, false, nil
	}
	m.locks[path] = make(chan struct{})
	return &memoryLock{m, path}, true, nil
}

func (m *memory) wait(ctx context.Context, path string) error {
	m.mu.Lock()
	free := m.locks[path]
	m.mu.Unlock()
	if free == nil {
		return ctx.Err()
	}
	select {
	case <-free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *memory) held(path string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.locks[path] != nil
}

// memoryLock is a lock among the goroutines of this process.
type memoryLock struct {
	m    *memory
	path string
}

// ReadAt implements io.ReaderAt.
func (l *memoryLock) ReadAt(b []byte, at int64) (int, error) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	return bytes.NewReader(l.m.files[l.path]).ReadAt(b, at)
}

// WriteAt implements io.WriterAt.
func (l *memoryLock) WriteAt(b []byte, at int64) (int, error) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.resize(max(at+int64(len(b)), int64(len(l.m.files[l.path]))))
	return copy(l.m.files[l.path][at:], b), nil
}

// Truncate gives the file a size.
func (l *memoryLock) Truncate(size int64) error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.resize(size)
	return nil
}

func (l *memoryLock) resize(size int64) {
	sized := make([]byte, size)
	copy(sized, l.m.files[l.path])
	l.m.files[l.path] = sized
}

// Sync has nothing to do.
func (*memoryLock) Sync() error { return nil }

func (l *memoryLock) unlock() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	close(l.m.locks[l.path])
	delete(l.m.locks, l.path)
	return nil
}

func (l *memoryLock) leave() error { return l.unlock() }
func (*memoryLock) file() *os.File { return nil }

var _ io.ReaderAt = (*memoryLock)(nil)
