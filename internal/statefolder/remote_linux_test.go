package statefolder

import (
	"path/filepath"
	"testing"
)

func TestRemote(t *testing.T) {
	for magic, want := range map[uint32]string{
		0x6969: "NFS", 0x517b: "SMB (CIFS)", 0xff534d42: "SMB (CIFS)", 0xfe534d42: "SMB (CIFS)", 0x01021997: "9p",
		0xef53: "", 0x01021994: "", 0x9123683e: "", 0x58465342: "", 0x794c7630: "",
	} {
		if got := remoteName(magic); got != want {
			t.Errorf("%#x is %q, want %q", magic, got, want)
		}
	}
	// proc is no disk, but no remote one either; and a folder that is not there is on the disk of what is above it.
	for _, folder := range []string{"/proc", "/proc/none/at/all", filepath.Join(t.TempDir(), "a", "b")} {
		if got := Remote(folder); got != "" {
			t.Errorf("%s is on %s", folder, got)
		}
	}
}
