package netsdk

import (
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Default is the store of the user that we run as; nil where the environment names no folder for it. The SDK for .NET
// Framework takes LOCALAPPDATA, the one for .NET builds the same folder from USERPROFILE.
func Default(getenv func(string) string) *Store {
	if folder := getenv("LOCALAPPDATA"); folder != "" {
		return In(folder, unprotect)
	}
	if home := getenv("USERPROFILE"); home != "" {
		return In(filepath.Join(home, "AppData", "Local"), unprotect)
	}
	return nil
}

// unprotect asks DPAPI, which never shows a window for us.
func unprotect(sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, windows.ERROR_INVALID_DATA
	}
	in := windows.DataBlob{Size: uint32(len(sealed)), Data: &sealed[0]}
	var out windows.DataBlob
	if err := windows.CryptUnprotectData(&in, nil, nil, 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out); err != nil {
		return nil, err
	}
	defer windows.LocalFree(windows.Handle(unsafe.Pointer(out.Data)))
	given := unsafe.Slice(out.Data, out.Size)
	defer clear(given)
	return append([]byte(nil), given...), nil
}
