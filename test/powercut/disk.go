package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"sync"
)

// disk is the file system and its power.
type disk struct {
	out      string
	released chan struct{}

	mu   sync.Mutex
	root *node
	cut  string
	ops  []string
	seen map[string]int // how often each name came
	off  bool           // the power is gone
}

// node is a file or a folder, as it is and as the disk has it. Guarded by disk.mu.
type node struct {
	mode    uint32
	data    []byte
	synced  []byte           // the file's bytes as of its last fsync
	entries map[string]*node // nil for a file
	kept    map[string]*node // the folder's names as of its last fsync
}

func clone(b []byte) []byte { return append([]byte{}, b...) }

// What differs from one home to another, and from one run to another, in the names of our files.
var (
	tempName  = regexp.MustCompile(`\.tmp-[0-9a-f]+`)
	indexName = regexp.MustCompile(`\b([ph])-[0-9a-z]{8,}`)
	sessionID = regexp.MustCompile(`\b[a-z2-7]{26}\b`)
)

func plain(op string) string {
	op = tempName.ReplaceAllString(op, ".tmp-X")
	op = indexName.ReplaceAllString(op, "$1-X")
	return sessionID.ReplaceAllString(op, "ID")
}

// begin counts an operation and holds the disk's lock until the caller lets it go. on is false where the power is gone: by
// then whoever asked has been killed.
func (d *disk) begin(op string) (on bool) {
	d.mu.Lock()
	if !d.off {
		op = plain(op)
		d.seen[op]++
		op = fmt.Sprintf("%s #%d", op, d.seen[op])
		d.ops = append(d.ops, op)
		if op != d.cut {
			return true
		}
		d.off = true
		if err := d.images(); err != nil {
			fmt.Fprintln(os.Stderr, "powercut:", err)
			os.Exit(1)
		}
		fmt.Println("cut", op)
	}
	d.mu.Unlock()
	<-d.released
	d.mu.Lock()
	return false
}

// images writes what the disk may hold at this moment.
func (d *disk) images() error {
	return errors.Join(
		d.root.write(filepath.Join(d.out, "strict"), func(n *node) (map[string]*node, []byte) { return n.kept, n.synced }),
		d.root.write(filepath.Join(d.out, "metadata"), func(n *node) (map[string]*node, []byte) {
			left := make([]byte, len(n.data))
			copy(left, n.synced)
			return n.entries, left
		}),
	)
}

// write makes a folder or file of what pick says is left of it.
func (n *node) write(path string, pick func(*node) (map[string]*node, []byte)) error {
	entries, data := pick(n)
	if n.entries == nil {
		return errors.Join(os.WriteFile(path, data, 0o600), os.Chmod(path, os.FileMode(n.mode)))
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	for name, child := range entries {
		if err := child.write(filepath.Join(path, name), pick); err != nil {
			return err
		}
	}
	return os.Chmod(path, os.FileMode(n.mode))
}

func (n *node) sync() {
	if n.entries == nil {
		n.synced = clone(n.data)
		return
	}
	n.kept = maps.Clone(n.entries)
}

func (n *node) resize(size int) {
	if size <= len(n.data) {
		n.data = n.data[:size:size]
		return
	}
	n.data = append(n.data, make([]byte, size-len(n.data))...)
}

func (n *node) writeAt(b []byte, at int) {
	if at+len(b) > len(n.data) {
		n.resize(at + len(b))
	}
	copy(n.data[at:], b)
}
