package main

import (
	"context"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// inode is a node as the kernel knows it. Names are looked up anew each time: the kernel keeps none.
type inode struct {
	fs.Inode
	disk *disk
	node *node
}

var (
	_ fs.NodeLookuper  = (*inode)(nil)
	_ fs.NodeGetattrer = (*inode)(nil)
	_ fs.NodeSetattrer = (*inode)(nil)
	_ fs.NodeReaddirer = (*inode)(nil)
	_ fs.NodeOpener    = (*inode)(nil)
	_ fs.NodeReader    = (*inode)(nil)
	_ fs.NodeWriter    = (*inode)(nil)
	_ fs.NodeCreater   = (*inode)(nil)
	_ fs.NodeMkdirer   = (*inode)(nil)
	_ fs.NodeUnlinker  = (*inode)(nil)
	_ fs.NodeRmdirer   = (*inode)(nil)
	_ fs.NodeRenamer   = (*inode)(nil)
	_ fs.NodeFsyncer   = (*inode)(nil)
)

// path is this inode's name from the mount point.
func (i *inode) path(names ...string) string {
	p := i.Path(nil)
	return strings.Trim(p+"/"+strings.Join(names, "/"), "/")
}

func (n *node) attr(out *fuse.Attr) {
	out.Mode, out.Size, out.Nlink = n.mode|fuse.S_IFREG, uint64(len(n.data)), 1
	if n.entries != nil {
		out.Mode, out.Size = n.mode|fuse.S_IFDIR, 0
	}
}

func (i *inode) child(ctx context.Context, n *node, out *fuse.EntryOut) *fs.Inode {
	n.attr(&out.Attr)
	kind := uint32(fuse.S_IFREG)
	if n.entries != nil {
		kind = fuse.S_IFDIR
	}
	return i.NewInode(ctx, &inode{disk: i.disk, node: n}, fs.StableAttr{Mode: kind})
}

// Lookup finds a name. The kernel's inode of a node is the same each time: a lock is on it.
func (i *inode) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	n, ok := i.node.entries[name]
	if !ok {
		return nil, syscall.ENOENT
	}
	if known := i.GetChild(name); known != nil && known.Operations().(*inode).node == n {
		n.attr(&out.Attr)
		return known, 0
	}
	return i.child(ctx, n, out), 0
}

// Getattr tells mode and size.
func (i *inode) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	i.node.attr(&out.Attr)
	return 0
}

// Setattr changes mode and size; times are not kept.
func (i *inode) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	size, sized := in.GetSize()
	mode, moded := in.GetMode()
	if sized || moded {
		on := i.disk.begin("setattr " + i.path())
		defer i.disk.mu.Unlock()
		if !on {
			return syscall.EIO
		}
	} else {
		i.disk.mu.Lock()
		defer i.disk.mu.Unlock()
	}
	if sized {
		i.node.resize(int(size))
	}
	if moded {
		i.node.mode = mode & 0o7777
	}
	i.node.attr(&out.Attr)
	return 0
}

// Readdir lists a folder.
func (i *inode) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	var list []fuse.DirEntry
	for name, n := range i.node.entries {
		var a fuse.Attr
		n.attr(&a)
		list = append(list, fuse.DirEntry{Name: name, Mode: a.Mode})
	}
	return fs.NewListDirStream(list), 0
}

// Open needs no handle. Reads and writes go past the kernel's cache.
func (i *inode) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

// Read gives a part of a file.
func (i *inode) Read(_ context.Context, _ fs.FileHandle, to []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	if at > int64(len(i.node.data)) {
		at = int64(len(i.node.data))
	}
	return fuse.ReadResultData(to[:copy(to, i.node.data[at:])]), 0
}

// Write changes a part of a file.
func (i *inode) Write(_ context.Context, _ fs.FileHandle, b []byte, at int64) (uint32, syscall.Errno) {
	on := i.disk.begin("write " + i.path())
	defer i.disk.mu.Unlock()
	if !on {
		return 0, syscall.EIO
	}
	i.node.writeAt(b, int(at))
	return uint32(len(b)), 0
}

// Create makes an empty file.
func (i *inode) Create(ctx context.Context, name string, _ uint32, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	on := i.disk.begin("create " + i.path(name))
	defer i.disk.mu.Unlock()
	if !on {
		return nil, nil, 0, syscall.EIO
	}
	n := &node{mode: mode & 0o7777}
	i.node.entries[name] = n
	return i.child(ctx, n, out), nil, fuse.FOPEN_DIRECT_IO, 0
}

// Mkdir makes an empty folder.
func (i *inode) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	on := i.disk.begin("mkdir " + i.path(name))
	defer i.disk.mu.Unlock()
	if !on {
		return nil, syscall.EIO
	}
	if _, there := i.node.entries[name]; there {
		return nil, syscall.EEXIST
	}
	n := &node{mode: mode & 0o7777, entries: map[string]*node{}, kept: map[string]*node{}}
	i.node.entries[name] = n
	return i.child(ctx, n, out), 0
}

// Unlink takes a name away.
func (i *inode) Unlink(_ context.Context, name string) syscall.Errno { return i.remove("unlink", name) }

// Rmdir takes a folder's name away.
func (i *inode) Rmdir(_ context.Context, name string) syscall.Errno { return i.remove("rmdir", name) }

func (i *inode) remove(op, name string) syscall.Errno {
	on := i.disk.begin(op + " " + i.path(name))
	defer i.disk.mu.Unlock()
	if !on {
		return syscall.EIO
	}
	delete(i.node.entries, name)
	return 0
}

// Rename moves a name, over what has it.
func (i *inode) Rename(_ context.Context, name string, to fs.InodeEmbedder, newName string, _ uint32) syscall.Errno {
	target := to.EmbeddedInode().Operations().(*inode)
	on := i.disk.begin("rename " + target.path(newName))
	defer i.disk.mu.Unlock()
	if !on {
		return syscall.EIO
	}
	target.node.entries[newName] = i.node.entries[name]
	delete(i.node.entries, name)
	return 0
}

// Fsync makes a file's bytes, or a folder's names, last.
func (i *inode) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	on := i.disk.begin("fsync " + i.path())
	defer i.disk.mu.Unlock()
	if !on {
		return syscall.EIO
	}
	i.node.sync()
	return 0
}
