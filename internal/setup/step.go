package setup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// Want is what one file is to say.
type Want struct {
	Host    Host   `json:",omitzero"` // the place, where the line is about one
	Program string `json:",omitempty"`
	Profile string `json:",omitempty"`
	Name    string `json:",omitempty"` // of a section or an entry
	Key     string `json:",omitempty"`
	Force   bool   `json:"-"` // take the place of what is somebody else's
}

// format is one sort of file: pure functions of its content. add gives the content with the line in it, and the same content
// where it is there already; remove takes out what add puts in, as far as it is ours. Both refuse what they cannot change without
// doubt. show is what is written, for a person, and holds nothing of the file.
type format struct {
	add, remove func(data []byte, w Want) ([]byte, *refusal)
	show        func(w Want) []string
}

// ForeignError says that something else answers already where we were to be put. Force takes its place.
type ForeignError struct {
	File    string
	Line    int // 1 is the first; 0 when no line is meant
	Problem string
}

// Error names the file and what stands there.
func (e *ForeignError) Error() string {
	return (&profiles.FileError{File: e.File, Line: e.Line, Problem: e.Problem}).Error()
}

func (r *refusal) of(file string) error {
	if r.foreign {
		return &ForeignError{File: file, Line: r.line, Problem: r.problem}
	}
	return &profiles.FileError{File: file, Line: r.line, Problem: r.problem, Next: "edit " + profiles.ShellWord(file)}
}

// Step is one thing that setup does: a line in a file, or a link.
type Step struct {
	Kind  Kind
	File  string // the file, or the link
	Lines []string
	// Standing is set where nothing need be done.
	Standing bool

	format format
	want   Want
	target string // of a link
}

// Kind says what a step is, and by which rules its file is edited.
type Kind string

// The kinds of steps.
const (
	Link       Kind = "link"
	Binding    Kind = "binding"
	GitLine    Kind = "git"
	DockerLine Kind = "docker"
	Terraform  Kind = "terraform"
	GoLine     Kind = "go"
	KubeUserOf Kind = "kubernetes"
	AWSLine    Kind = "aws"
	CargoLine  Kind = "cargo"
	BazelLine  Kind = "bazel"
	PipLine    Kind = "pip"
	NpmLine    Kind = "pnpm"
)

// formatOf is the only list of formats.
func formatOf(k Kind) (format, bool) {
	switch k {
	case Binding:
		return bindingFormat(), true
	case GitLine:
		return gitFormat(), true
	case DockerLine:
		return dockerFormat(), true
	case Terraform:
		return terraformFormat(), true
	case GoLine:
		return goFormat(), true
	case KubeUserOf:
		return kubeFormat(), true
	case AWSLine:
		return valueFormat(Ours, "the profile gets its credentials from another program"), true
	case CargoLine:
		return cargoFormat(), true
	case BazelLine:
		return bazelFormat(), true
	case PipLine:
		return valueFormat(func(v string) bool { return v == "subprocess" }, "pip has another keyring provider"), true
	case NpmLine:
		return npmFormat(), true
	default:
		return format{}, false
	}
}

// fileLimit bounds a configuration file.
const fileLimit = 4 << 20

// contentOf reads a file that a tool has, through links; a missing one is empty.
func contentOf(file string) (data []byte, target string, stamp profiles.FileStamp, err error) {
	fail := func(problem string, err error) ([]byte, string, profiles.FileStamp, error) {
		return nil, "", stamp, &profiles.FileError{File: file, Problem: problem, Next: "ls -lL " + profiles.ShellWord(file), Err: cause(err)}
	}
	if target, err = resolve(file); err != nil {
		return nil, "", stamp, err
	}
	info, err := os.Stat(target)
	if os.IsNotExist(err) {
		stamp, err = profiles.Stamp(target)
		return nil, target, stamp, err
	}
	switch {
	case err != nil:
		return fail("the file cannot be read", err)
	case !info.Mode().IsRegular():
		return fail("it is not a regular file", nil)
	case info.Size() > fileLimit:
		return fail("it is too large for a configuration file", nil)
	}
	f, err := os.Open(target)
	if err != nil {
		return fail("the file cannot be read", err)
	}
	defer f.Close()
	if stamp, err = profiles.StampFile(target, f); err == nil {
		data, err = io.ReadAll(io.LimitReader(f, fileLimit))
	}
	if err != nil {
		return fail("the file cannot be read", err)
	}
	return data, target, stamp, nil
}

// planFile works out what a line would change.
func planFile(file string, f format, w Want, change func([]byte, Want) ([]byte, *refusal)) (plan, error) {
	data, target, stamp, err := contentOf(file)
	if err != nil {
		return plan{}, err
	}
	edited, bad := change(data, w)
	if bad != nil {
		return plan{}, bad.of(file)
	}
	return plan{change: Change{File: target, NewFile: stamp.Absent}, stamp: stamp, old: data, new: edited}, nil
}

// patch is the one difference between two contents, and what the second is known by.
type patch struct {
	At       int
	Old, New []byte
	After    string // SHA-256 of the whole, in hexadecimal
}

func patchOf(before, after []byte) patch {
	at := 0
	for at < len(before) && at < len(after) && before[at] == after[at] {
		at++
	}
	end := 0
	for end < len(before)-at && end < len(after)-at && before[len(before)-1-end] == after[len(after)-1-end] {
		end++
	}
	return patch{at, before[at : len(before)-end], after[at : len(after)-end], fingerprint(after)}
}

func fingerprint(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// revert gives what was before; ok is false where the content is not the one that the patch led to.
func (p patch) revert(data []byte) (before []byte, ok bool) {
	if fingerprint(data) != p.After || p.At+len(p.New) > len(data) || !bytes.Equal(data[p.At:p.At+len(p.New)], p.New) {
		return nil, false
	}
	return splice(data, p.At, p.At+len(p.New), string(p.Old)), true
}
