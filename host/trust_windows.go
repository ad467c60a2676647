package host

import (
	"io/fs"
	"os"
)

// trustedFile wants a plain file. Who may write it is in its folder's access list, which Windows sets for programs and profiles
// as it should be; it is not looked at here.
func trustedFile(path string, info fs.FileInfo, _ bool) error {
	if !info.Mode().IsRegular() {
		return unusable(path+" is not a plain file", "")
	}
	return nil
}

// trustedTree wants a folder.
func trustedTree(folder string) error {
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return unusable(folder+" is not a folder", "")
	}
	return nil
}
