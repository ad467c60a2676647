package statefolder

import "syscall"

// Remote names the kind of file system that folder, or what there is above it, is on, where it is one on which locks and
// renames do not hold between machines; "" for a local one.
func Remote(folder string) string {
	var st syscall.Statfs_t
	if err := syscall.Statfs(existing(folder), &st); err != nil {
		return ""
	}
	return remoteName(uint32(st.Type))
}

// remoteName knows the magic numbers of statfs(2).
func remoteName(magic uint32) string {
	switch magic {
	case 0x6969:
		return "NFS"
	case 0x517b, 0xff534d42, 0xfe534d42:
		return "SMB (CIFS)"
	case 0x01021997:
		return "9p"
	case 0x5346414f, 0x6b414653:
		return "AFS"
	case 0x00c36400:
		return "Ceph"
	case 0x73757245:
		return "Coda"
	default:
		return ""
	}
}
