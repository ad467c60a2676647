// Package handover is the contract by which the front becomes the complete program: one environment variable that names
// descriptors which the new program inherits.
//
// It guarantees that a variable which is malformed, or names what is not there, changes nothing, and that what it took over
// does not leak into the new program's own children. No secret is in the variable. It never takes or checks a lock itself:
// tokencache compares device and inode before it believes in one.
package handover

import (
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/version"
)

// Variable carries the contract: <contract>;<version>;lock=<fd>;replay=<fd>;resumed=<0|1>;answer=<fd>. Descriptors that are
// not there are -1; on Windows they are handles. A front of an older version has no answer; one of a newer version may append
// fields of the same shape.
const Variable = "COGNITO_CREDHELPER_FRONT"

// None stands for a descriptor that is not there.
const None = -1

// Offer is what a front hands over.
type Offer struct {
	FrontVersion string
	Lock         int  // the session's lock file, locked; or None
	Replay       int  // what the front consumed of standard input, to be read before it; or None
	Resumed      bool // the front had waited for another process
	Answer       int  // the job of a worker that the front started and, in the next line, what that one said; or None
}

// Encode gives the variable's value.
func (o Offer) Encode() string {
	resumed := "0"
	if o.Resumed {
		resumed = "1"
	}
	return strconv.Itoa(version.Contract) + ";" + o.FrontVersion + ";lock=" + strconv.Itoa(o.Lock) +
		";replay=" + strconv.Itoa(o.Replay) + ";resumed=" + resumed + ";answer=" + strconv.Itoa(o.Answer)
}

// maxValue bounds a value that is worth parsing.
const maxValue = 512

// Parse reads the variable's value. ok is false for anything that Encode does not write, apart from appended fields.
func Parse(value string) (o Offer, ok bool) {
	fields := strings.Split(value, ";")
	if len(value) > maxValue || len(fields) < 5 || fields[0] != strconv.Itoa(version.Contract) || !isVersion(fields[1]) {
		return Offer{}, false
	}
	o.FrontVersion = fields[1]
	lock, okLock := descriptor(fields[2], "lock=")
	replay, okReplay := descriptor(fields[3], "replay=")
	answer, okAnswer := None, true
	if len(fields) > 5 && strings.HasPrefix(fields[5], "answer=") {
		answer, okAnswer = descriptor(fields[5], "answer=")
	}
	if !okLock || !okReplay || !okAnswer || same(lock, replay) || same(lock, answer) || same(replay, answer) {
		return Offer{}, false
	}
	o.Lock, o.Replay, o.Answer = lock, replay, answer
	switch fields[4] {
	case "resumed=0":
	case "resumed=1":
		o.Resumed = true
	default:
		return Offer{}, false
	}
	for _, f := range fields[5:] {
		if name, _, ok := strings.Cut(f, "="); !ok || name == "" {
			return Offer{}, false
		}
	}
	return o, true
}

// same reports whether two fields name one descriptor.
func same(a, b int) bool { return a == b && a != None }

// descriptor reads NAME=N where N is -1 or above the three standard descriptors, in the one spelling that Encode has.
func descriptor(field, name string) (int, bool) {
	digits, ok := strings.CutPrefix(field, name)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || strconv.Itoa(n) != digits {
		return None, false
	}
	return n, n == None || n > 2 && n <= maxDescriptor
}

func isVersion(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte(".+-_~", c) >= 0) {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 64
}

// State is what the complete program took over. The zero value is that of a program which was started directly.
type State struct {
	FrontVersion string
	// Lock is the descriptor that the front locked; nil without one. Whether it is the lock of the session in question,
	// tokencache.Adopt decides.
	Lock *os.File
	// Replay is to be read before standard input; nil when nothing was consumed. It ends where standard input goes on.
	Replay  io.Reader
	Resumed bool
	// Answer is the job of a worker that the front started and, in the next line, what that one said; nil without one.
	Answer io.Reader
}

// Take reads the variable and unsets it, whatever it says, so that no child sees it. ok is false without a front, and when
// the variable is malformed or names descriptors that are not there. Call it once, before anything is started.
func Take(getenv func(string) string, unset func(string) error) (s State, ok bool) {
	value := getenv(Variable)
	if value == "" {
		return State{}, false
	}
	// Only a name that is no name can fail here.
	_ = unset(Variable)
	o, ok := Parse(value)
	if !ok || o.Lock != None && !inherited(o.Lock) || o.Replay != None && !inherited(o.Replay) || o.Answer != None && !inherited(o.Answer) {
		return State{}, false
	}
	s = State{FrontVersion: o.FrontVersion, Resumed: o.Resumed}
	if o.Lock != None {
		s.Lock = adopt(o.Lock, "lock")
	}
	if o.Replay != None {
		s.Replay = adopt(o.Replay, "replay")
	}
	if o.Answer != None {
		s.Answer = adopt(o.Answer, "answer")
	}
	return s, true
}
