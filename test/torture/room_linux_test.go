//go:build torture

package torture

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

// H7: there is no room, or no right, to keep what a renewal would bring. Cognito is not asked, the sentence says why, and what
// is still valid is served; once there is room, all is as before. Refresh tokens rotate with no grace.
func TestNothingIsAskedForWithoutRoom(t *testing.T) {
	for _, c := range []struct {
		name     string
		disk     func(t *testing.T, h *home) (take, give func())
		sentence string
	}{
		{"full disk", smallDisk, "the disk is full"},
		{"read-only", readOnlyDisk, "read-only"},
		{"quota", quotaDisk, "the disk is full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHome(t, 0)
			take, give := c.disk(t, h)
			h.login()
			live := h.mustToken()
			take()
			if got := h.mustToken(); got != live {
				t.Error("what is valid was not served")
			}
			h.pass(life)
			h.server.ResetRequests()
			o := h.token()
			if o.exit != 5 || o.stdout != "" || !strings.HasPrefix(o.stderr, "cognito-credhelper: profile sandbox: ") || !strings.Contains(o.stderr, c.sentence) {
				t.Errorf("%v", o)
			}
			h.asked(map[string]int{})
			give()
			h.pass(waiting)
			h.mustToken()
			h.asked(map[string]int{refreshOp: 1})
			if o, ok := h.lives(); !ok {
				t.Errorf("afterwards: %v", o)
			}
		})
	}
}

// mounted mounts a file system as the state folder.
func mounted(t *testing.T, h *home, size string) {
	t.Helper()
	if os.Geteuid() != 0 {
		skips.Missing(t, "mount", "only root may mount a small disk")
	}
	if err := os.MkdirAll(h.state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", h.state, "tmpfs", 0, "size="+size+",mode=700"); err != nil {
		skips.Missing(t, "mount", err.Error())
	}
	t.Cleanup(func() { _ = syscall.Unmount(h.state, syscall.MNT_DETACH) })
	skips.Ran(t, "mount", "tmpfs")
}

func smallDisk(t *testing.T, h *home) (take, give func()) {
	mounted(t, h, "256k")
	ballast := filepath.Join(h.state, "ballast")
	return func() { h.quiet(); fill(t, ballast) }, func() { os.Remove(ballast) }
}

func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		t.Fatal(err)
	}
}

func readOnlyDisk(t *testing.T, h *home) (take, give func()) {
	mounted(t, h, "1m")
	remount := func(flags uintptr) {
		if err := syscall.Mount("", h.state, "", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	return func() { h.quiet(); remount(syscall.MS_RDONLY) }, func() { remount(0) }
}

// quotaDisk is a folder that may hold 256 KiB, on a disk with room for more.
func quotaDisk(t *testing.T, h *home) (take, give func()) {
	if os.Geteuid() != 0 {
		skips.Missing(t, "quota", "only root may mount a disk with quotas")
	}
	image, disk := filepath.Join(h.dir, "image"), filepath.Join(h.dir, "disk")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 128<<20), os.Mkdir(disk, 0o700)); err != nil {
		t.Fatal(err)
	}
	h.state = filepath.Join(disk, "state")
	for _, line := range []string{
		"mkfs.btrfs -q " + image, "mount -o loop " + image + " " + disk,
		"btrfs quota enable " + disk, "btrfs subvolume create " + h.state, "btrfs qgroup limit 256K " + h.state,
	} {
		words := strings.Fields(line)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			skips.Missing(t, "quota", words[0]+": "+err.Error()+" "+string(bytes.TrimSpace(out)))
		}
		if words[0] == "mount" {
			t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
		}
	}
	if err := os.Chmod(h.state, 0o700); err != nil {
		t.Fatal(err)
	}
	skips.Ran(t, "quota", "btrfs")
	ballast := filepath.Join(h.state, "ballast")
	return func() { h.quiet(); fill(t, ballast) }, func() { os.Remove(ballast) }
}
