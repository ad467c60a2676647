//go:build unix && !linux

package handover

import "os"

// Hold keeps b in a file without a name, positioned at its start. folder is for temp files.
func Hold(folder string, b []byte) (*os.File, error) { return holdInFile(folder, b) }
