package setup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// resolve follows links, so that a link into a folder of dotfiles stays a link. The file may be missing.
func resolve(file string) (string, error) {
	target, err := filepath.EvalSymlinks(file)
	if err == nil {
		return target, nil
	}
	if _, missing := os.Lstat(file); errors.Is(missing, fs.ErrNotExist) {
		return file, nil
	}
	// A link to nowhere: what would be made is not what the user sees.
	return "", &profiles.FileError{File: file, Problem: "the link cannot be followed", Next: "ls -l " + profiles.ShellWord(file), Err: cause(err)}
}

// write replaces the file: temp file in its folder, fsync, rename, fsync of the folder. A change by someone else since
// the file was read is an error.
func (p plan) write() error {
	folder := filepath.Dir(p.change.File)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return p.failed(err)
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(p.change.File); err == nil {
		mode = info.Mode().Perm()
	}
	temp, err := p.temp(folder, mode)
	if err != nil {
		return p.failed(err)
	}
	now, err := profiles.Stamp(p.change.File)
	if err == nil && now != p.stamp {
		os.Remove(temp)
		return &profiles.FileError{File: p.change.File, Problem: "the file was changed by another program meanwhile; it is left as it is"}
	}
	if err == nil {
		err = os.Rename(temp, p.change.File)
	}
	if err != nil {
		os.Remove(temp)
		return p.failed(err)
	}
	return p.failed(syncFolder(folder))
}

// temp writes the new content next to the file and makes it durable.
func (p plan) temp(folder string, mode fs.FileMode) (name string, err error) {
	f, err := os.CreateTemp(folder, "."+filepath.Base(p.change.File)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(p.new)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func (p plan) failed(err error) error {
	if err == nil {
		return nil
	}
	return &profiles.FileError{File: p.change.File, Problem: "the file cannot be written", Next: "ls -ld " + profiles.ShellWord(filepath.Dir(p.change.File)), Err: cause(err)}
}

// cause drops the path of a failure, which names a temp file.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	default:
		return err
	}
}
