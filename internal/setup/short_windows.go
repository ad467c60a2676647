package setup

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// withShortFolder names the program's folder as DOS would have, without spaces; the program's own name stays, because it is known
// by it. Where the volume keeps no short names the path stays as it is.
func withShortFolder(program string) string {
	long, err := windows.UTF16PtrFromString(filepath.Dir(program))
	if err != nil {
		return program
	}
	short := make([]uint16, windows.MAX_LONG_PATH)
	n, err := windows.GetShortPathName(long, &short[0], uint32(len(short)))
	if err != nil || n == 0 || int(n) > len(short) {
		return program
	}
	return filepath.Join(windows.UTF16ToString(short[:n]), filepath.Base(program))
}
