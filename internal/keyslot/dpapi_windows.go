package keyslot

import (
	"bytes"
	"unsafe"

	"golang.org/x/sys/windows"
)

func platformSealer() sealer { return dpapi{} }

// dpapi seals for the user's account on this machine. It never shows a window: CRYPTPROTECT_UI_FORBIDDEN.
type dpapi struct{}

// dpapiEntropy binds what we seal to this use: another program's call without it opens nothing by accident.
const dpapiEntropy = "data key of cognito-credhelper"

func (dpapi) seal(plain []byte) ([]byte, error) {
	return dpapiCall(plain, func(in, entropy, out *windows.DataBlob) error {
		return windows.CryptProtectData(in, nil, entropy, 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, out)
	})
}

func (dpapi) open(box []byte) ([]byte, error) {
	return dpapiCall(box, func(in, entropy, out *windows.DataBlob) error {
		return windows.CryptUnprotectData(in, nil, entropy, 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, out)
	})
}

// dpapiCall copies what the system allocated, wipes that, and frees it.
func dpapiCall(in []byte, call func(in, entropy, out *windows.DataBlob) error) ([]byte, error) {
	var out windows.DataBlob
	entropy := []byte(dpapiEntropy)
	if len(in) == 0 {
		return nil, errDamaged
	}
	if err := call(blob(in), blob(entropy), &out); err != nil {
		return nil, err
	}
	theirs := unsafe.Slice(out.Data, out.Size)
	ours := bytes.Clone(theirs)
	clear(theirs)
	_, err := windows.LocalFree(windows.Handle(unsafe.Pointer(out.Data)))
	return ours, err
}

func blob(b []byte) *windows.DataBlob {
	return &windows.DataBlob{Size: uint32(len(b)), Data: &b[0]}
}
