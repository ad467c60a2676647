// Command powercut is a file system in memory that loses power: it knows what of it would still be there.
//
// It serves the content of one folder at a mount point and names the operations that change something or sync it: "fsync a/b #2"
// is the second sync of a/b. What differs between two homes is left out of names: a session's id is ID, a random ending X. Before the operation of one name it stops
// answering for good, and writes two images of what the disk may hold at that moment:
//
//	strict     only what was synced: the bytes of a file as of its last fsync, the names in a folder as of the folder's
//	metadata   the names and sizes as they were, but of each file only the bytes that were synced; the others are zeros
//
// A real file system leaves something between the two. It needs root and /dev/fuse.
//
//	powercut -mount DIR -from DIR -out DIR [-cut OPERATION]
//
// It says "ready" on standard output, then "cut OPERATION" when it has happened; the images are whole by then. Whoever works on
// the mount point must be killed before "release" is written to standard input: then what hangs fails with EIO. At the end of
// standard input it unmounts, writes the images of that moment if there was no cut, and lists all operations.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "powercut:", err)
		os.Exit(1)
	}
}

func run() error {
	mount := flag.String("mount", "", "the `folder` to serve at")
	from := flag.String("from", "", "the `folder` to begin with")
	out := flag.String("out", "", "the `folder` for the images")
	cut := flag.String("cut", "", "lose power before this `operation`; without it, never")
	flag.Parse()
	d := &disk{cut: *cut, out: *out, released: make(chan struct{}), seen: map[string]int{}}
	root, err := d.read(*from)
	if err != nil {
		return err
	}
	d.root = root
	server, err := fs.Mount(*mount, &inode{disk: d, node: root}, &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "powercut"}})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if lines.Text() == "release" {
			close(d.released)
		}
	}
	err = server.Unmount()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.off && err == nil {
		err = d.images()
	}
	for _, op := range d.ops {
		fmt.Println("op", op)
	}
	return err
}

// read takes over a folder; what is in it is durable.
func (d *disk) read(path string) (*node, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	n := &node{mode: uint32(info.Mode().Perm())}
	if !info.IsDir() {
		n.data, err = os.ReadFile(path)
		n.synced = clone(n.data)
		return n, err
	}
	n.entries, n.kept = map[string]*node{}, map[string]*node{}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		child, err := d.read(filepath.Join(path, e.Name()))
		if err != nil {
			return nil, err
		}
		n.entries[e.Name()], n.kept[e.Name()] = child, child
	}
	return n, nil
}
