//go:build unix

package handover

import (
	"io"
	"os"
)

// holdInFile uses a file of mode 0600 that loses its name before anything is in it.
func holdInFile(folder string, b []byte) (*os.File, error) {
	f, err := os.CreateTemp(folder, "cognito-credhelper-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return fill(f, b)
}

func fill(f *os.File, b []byte) (*os.File, error) {
	_, err := f.Write(b)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
