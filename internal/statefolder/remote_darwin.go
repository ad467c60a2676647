package statefolder

import "syscall"

// Remote names the kind of file system that folder, or what there is above it, is on, where it is one on which locks and
// renames do not hold between machines; "" for a local one.
func Remote(folder string) string {
	var st syscall.Statfs_t
	if err := syscall.Statfs(existing(folder), &st); err != nil {
		return ""
	}
	var name []byte
	for _, c := range st.Fstypename {
		if c == 0 {
			break
		}
		name = append(name, byte(c))
	}
	switch string(name) {
	case "nfs":
		return "NFS"
	case "smbfs":
		return "SMB (CIFS)"
	case "9p", "afpfs", "webdav":
		return string(name)
	default:
		return ""
	}
}
