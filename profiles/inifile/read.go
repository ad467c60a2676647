package inifile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// sizeLimit is far above any real file, and small enough that no file can use up memory.
const sizeLimit = 1 << 20

// source is one file that may have the profile.
type source struct {
	path  string
	form  form
	data  []byte
	stamp profiles.FileStamp
	mode  fs.FileMode
}

// read opens a file that may be hostile, reads it, and stamps it. A file that is not there gives a source without data.
func read(path string, f form) (*source, error) {
	s := &source{path: path, form: f, stamp: profiles.FileStamp{Path: path, Absent: true}}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return s, nil
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	// Before opening as well as after: opening some devices does something.
	if !info.Mode().IsRegular() {
		return nil, notRegular(path)
	}
	file, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer file.Close()
	if err := s.fill(file); err != nil {
		return nil, err
	}
	return s, s.checkText()
}

func (s *source) fill(file *os.File) (err error) {
	// The stamp is taken before the content, so that a change in between makes the stamp wrong and not the content.
	if s.stamp, err = profiles.StampFile(s.path, file); err != nil {
		return unreadable(s.path, err)
	}
	info, err := file.Stat()
	if err != nil {
		return unreadable(s.path, err)
	}
	switch {
	case !info.Mode().IsRegular():
		return notRegular(s.path)
	case !ownerTrusted(info):
		return &profiles.FileError{File: s.path, Problem: "belongs to another user", Next: "ls -lL " + profiles.ShellWord(s.path)}
	case info.Size() > sizeLimit:
		return tooLarge(s.path)
	}
	s.mode = info.Mode()
	// One read of the known size; a file that grows meanwhile is cut, and its stamp is void.
	s.data = make([]byte, info.Size())
	n, err := io.ReadFull(file, s.data)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return unreadable(s.path, err)
	}
	s.data = s.data[:n]
	return nil
}

// checkText refuses what no editor writes into an ini file, and what could drive a terminal.
func (s *source) checkText() error {
	if bytes.HasPrefix(s.data, []byte("\xff\xfe")) || bytes.HasPrefix(s.data, []byte("\xfe\xff")) {
		return &profiles.FileError{File: s.path, Line: 1, Problem: "the file is UTF-16", Next: "save the file as UTF-8"}
	}
	for _, bad := range []struct {
		char byte
		name string
	}{{0, "a NUL byte"}, {0x1b, "an escape character"}} {
		if i := bytes.IndexByte(s.data, bad.char); i >= 0 {
			line := 1 + bytes.Count(s.data[:i], []byte("\n"))
			return &profiles.FileError{File: s.path, Line: line, Problem: "the line has " + bad.name, Next: "save the file as UTF-8 text without it"}
		}
	}
	return nil
}

// checkTrust refuses a file that others may write, because what it says decides where a password goes.
func (s *source) checkTrust() error {
	if !modeBitsCount {
		return nil
	}
	if s.mode.Perm()&0o022 != 0 {
		who := "its group"
		if s.mode.Perm()&0o002 != 0 {
			who = "everybody"
		}
		return &profiles.FileError{File: s.path, Problem: "the file decides where a password is sent, and can be written by " + who, Next: "chmod go-w " + profiles.ShellWord(s.path)}
	}
	folders := []string{filepath.Dir(s.path)}
	if target, err := filepath.EvalSymlinks(s.path); err == nil && filepath.Dir(target) != folders[0] {
		folders = append(folders, filepath.Dir(target))
	}
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil {
			return unreadable(s.path, err)
		}
		if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return &profiles.FileError{File: s.path, Problem: "the file decides where a password is sent, and everybody may replace it in its folder", Next: "chmod o-w " + profiles.ShellWord(folder)}
		}
	}
	return nil
}

func unreadable(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err // without the path, which FileError says already
	}
	return &profiles.FileError{File: path, Problem: "the file cannot be read", Next: "ls -lL " + profiles.ShellWord(path), Err: err}
}

func notRegular(path string) error {
	return &profiles.FileError{File: path, Problem: "this is no regular file", Next: "ls -lL " + profiles.ShellWord(path)}
}

func tooLarge(path string) error {
	return &profiles.FileError{File: path, Problem: "the file is larger than " + strconv.Itoa(sizeLimit>>20) + " MiB", Next: "ls -lL " + profiles.ShellWord(path)}
}
