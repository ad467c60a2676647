// Package flags reads the command lines of machine verbs: long flags only, each settable once, nothing else.
//
// It guarantees that every error has kind token.Usage and is safe to print, and that a flag's value is never empty: an
// unset shell variable must not silently select another profile. It never prints and never reads the environment. It
// exists because package flag costs reflection and memory at start-up, which the front does not pay.
package flags

import (
	"strconv"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Parser goes through a command line, flag by flag: "--name value", "--name=value", or "--name". For each Name the caller
// calls exactly one of String, Choice, Duration, Bool, and Unknown. It allocates nothing. Not safe for concurrent use.
//
//	p := flags.Parser{Args: args}
//	for p.Next() {
//		switch p.Name {
//		case "use":
//			p.String(&use)
//		default:
//			p.Unknown()
//		}
//	}
//	return p.Err
type Parser struct {
	Args []string // what is left
	Name string   // the flag at hand, without dashes
	Err  error    // the first problem, of kind token.Usage; Next ends there

	value    string
	attached bool // value came with "="
}

// Unset is what a Duration variable holds before its flag was met; no duration on a command line is negative.
const Unset time.Duration = -1

// Next goes to the next flag; false at the end and after a problem.
func (p *Parser) Next() bool {
	if p.Err != nil || len(p.Args) == 0 {
		return false
	}
	arg := p.Args[0]
	p.Args = p.Args[1:]
	rest, ok := strings.CutPrefix(arg, "--")
	if !ok {
		p.fail("\"" + safetext.Line(arg, 40) + "\" is not expected here")
		return false
	}
	p.Name, p.value, p.attached = strings.Cut(rest, "=")
	if p.Name == "" {
		p.fail("\"" + safetext.Line(arg, 40) + "\" names no flag")
		return false
	}
	return true
}

// String takes a value; dst must be empty before, which is how a second one is noticed, under whichever name.
func (p *Parser) String(dst *string) {
	value, ok := p.take(*dst != "")
	if ok {
		*dst = value
	}
}

// Choice takes a value that must be one of allowed; dst as for String.
func (p *Parser) Choice(dst *string, allowed ...string) {
	value, ok := p.take(*dst != "")
	if !ok {
		return
	}
	for _, a := range allowed {
		if value == a {
			*dst = value
			return
		}
	}
	p.fail("--" + p.Name + " must be one of " + strings.Join(allowed, ", "))
}

// Duration takes a value that ParseDuration reads; dst must hold Unset before.
func (p *Parser) Duration(dst *time.Duration) {
	value, ok := p.take(*dst != Unset)
	if !ok {
		return
	}
	if d, ok := ParseDuration(value); ok {
		*dst = d
		return
	}
	p.fail("--" + p.Name + " must be a duration such as 90s, 15m, 1h, or a number of seconds")
}

// Bool takes no value; dst must be false before.
func (p *Parser) Bool(dst *bool) {
	switch {
	case *dst:
		p.fail("--" + p.Name + " is given twice")
	case p.attached:
		p.fail("--" + p.Name + " takes no value")
	default:
		*dst = true
	}
}

// Unknown refuses the flag at hand. Its value is not shown: it may be a secret meant for another program.
func (p *Parser) Unknown() {
	p.fail("there is no flag --" + safetext.Line(p.Name, 40) + " here")
}

// take gives the flag's value, which may be the next argument.
func (p *Parser) take(seen bool) (value string, ok bool) {
	if seen {
		p.fail("--" + p.Name + " is given twice")
		return "", false
	}
	value = p.value
	if !p.attached && len(p.Args) > 0 {
		value, p.Args = p.Args[0], p.Args[1:]
	}
	if value == "" {
		p.fail("--" + p.Name + " needs a value")
		return "", false
	}
	return value, true
}

func (p *Parser) fail(message string) {
	p.Err = &token.Error{Kind: token.Usage, Message: message}
}

// ParseDuration reads a Go duration or a plain number of seconds, neither negative.
func ParseDuration(s string) (time.Duration, bool) {
	if s != "" && strings.TrimLeft(s, "0123456789") == "" {
		const most = uint64(1<<63-1) / uint64(time.Second)
		n, err := strconv.ParseUint(s, 10, 64)
		return time.Duration(n) * time.Second, err == nil && n <= most
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d >= 0
}
