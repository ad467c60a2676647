package prompt

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// Values reads option values that may stand elsewhere: @FILE for a file, - for standard input, @@x for a literal @x. A file
// and standard input are read once. Not safe for concurrent use.
type Values struct {
	stdin  io.Reader
	reader string // the option that standard input belongs to; "" while it is free
	files  map[string]token.Secret
}

// NewValues reads standard input from stdin.
func NewValues(stdin io.Reader) *Values {
	return &Values{stdin: stdin, files: map[string]token.Secret{}}
}

// Literal reports whether raw stands on the command line itself, and is what was meant.
func Literal(raw string) bool {
	return raw != "-" && (!strings.HasPrefix(raw, "@") || strings.HasPrefix(raw, "@@"))
}

// Read returns the value that raw stands for. option names it in errors, which are of kind token.Usage: a second reader of
// standard input, a file that cannot be read, more than 64 KiB, no text at all. One newline at the end is cut. The end of
// ctx ends the wait for a pipe; the error then is of kind token.Interrupted.
func (v *Values) Read(ctx context.Context, option, raw string) (token.Secret, error) {
	switch {
	case raw == "-":
		if v.reader != option {
			if err := v.claim(option, raw); err != nil {
				return token.Secret{}, err
			}
		}
		return wait(ctx, func() (token.Secret, error) { return readValue(option, v.stdin) })
	case Literal(raw):
		return checked(option, strings.TrimPrefix(raw, "@"))
	}
	name := raw[1:]
	if known, ok := v.files[name]; ok {
		return known, nil // the same pipe may be named twice, and gives its text once
	}
	value, err := wait(ctx, func() (token.Secret, error) { return readFile(option, name) })
	if err == nil {
		v.files[name] = value
	}
	return value, err
}

// claim gives standard input to one option, so that two never share it.
func (v *Values) claim(option, raw string) error {
	switch {
	case raw != "-":
		return nil
	case v.reader != "":
		return usage("standard input cannot serve %s and %s", v.reader, option)
	}
	v.reader = option
	return nil
}

// wait keeps an interrupt working while a pipe gives nothing: the read itself cannot be ended, and ends with the process.
func wait(ctx context.Context, read func() (token.Secret, error)) (token.Secret, error) {
	type result struct {
		value token.Secret
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return token.Secret{}, interrupted(ctx)
	}
}

func readFile(option, name string) (token.Secret, error) {
	f, err := os.Open(name)
	if err != nil {
		return token.Secret{}, usage("%s: the file %s cannot be read", option, safetext.Line(name, labelLimit))
	}
	defer f.Close()
	return readValue(option, f)
}

// readValue reads to the end, into a buffer that never grows, which would leave copies, and that is wiped.
func readValue(option string, r io.Reader) (token.Secret, error) {
	buffer := make([]byte, maxAnswer+1)
	defer clear(buffer)
	n, err := io.ReadFull(r, buffer)
	text := buffer[:n]
	switch {
	case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
		return token.Secret{}, usage("%s: the value cannot be read", option)
	case len(text) > maxAnswer:
		return token.Secret{}, usage("%s: the value is longer than 64 KiB", option)
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\r"))
	return checked(option, string(text))
}

func checked(option, value string) (token.Secret, error) {
	if value == "" {
		return token.Secret{}, usage("%s: the value is empty", option)
	}
	return token.NewSecret(value), nil
}

// Prepared answers from the command line: --answer and --password-stdin. Not safe for concurrent use.
type Prepared struct {
	given  []given
	asked  map[string]bool
	values *Values
}

// given is one prepared answer; value is empty until Read.
type given struct {
	name, raw, option string
	value             token.Secret
}

var _ challenge.Answerer = (*Prepared)(nil)

// NewPrepared checks the form of answers, each NAME=VALUE, NAME=@FILE, or NAME=-; CHALLENGE.NAME answers that challenge's
// question only, and the same NAME again is the answer to the next attempt, or to the next round of a CUSTOM_CHALLENGE.
// passwordStdin takes the password from standard input. Nothing is read before Read. Errors are of kind
// token.Usage and show no value.
func NewPrepared(answers []string, passwordStdin bool, v *Values) (*Prepared, error) {
	p := &Prepared{asked: map[string]bool{}, values: v}
	if passwordStdin {
		p.given = append(p.given, given{name: challenge.Password, raw: "-", option: "--password-stdin"})
		if err := v.claim("--password-stdin", "-"); err != nil {
			return nil, err
		}
	}
	for _, a := range answers {
		name, raw, ok := strings.Cut(a, "=")
		if !ok || !validName(name) {
			return nil, usage("--answer takes NAME=VALUE, NAME=@FILE, or NAME=-")
		}
		g := given{name: name, raw: raw, option: "--answer " + name}
		if err := v.claim(g.option, raw); err != nil {
			return nil, err
		}
		p.given = append(p.given, g)
	}
	return p, nil
}

func validName(name string) bool {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.:-", r)
	}
	return name != "" && len(name) <= 128 && strings.IndexFunc(name, odd) < 0
}

// Warnings is a sentence when a password stands on the command line, where other programs can see it.
func (p *Prepared) Warnings() []string {
	for _, g := range p.given {
		name := g.name[strings.LastIndexByte(g.name, '.')+1:]
		secret := name == challenge.Password || name == "NEW_PASSWORD"
		if secret && Literal(g.raw) {
			return []string{"other programs can see the " + g.name + " on this command line; give it as " + g.name + "=@FILE or " + g.name + "=-"}
		}
	}
	return nil
}

// Read reads the files and standard input that answers stand in, once.
func (p *Prepared) Read(ctx context.Context) error {
	for i := range p.given {
		g := &p.given[i]
		if !g.value.Empty() {
			continue
		}
		value, err := p.values.Read(ctx, g.option, g.raw)
		if err != nil {
			return err
		}
		g.value = value
	}
	return nil
}

// Answer returns the prepared answer for q's name and attempt, and challenge.ErrNoAnswer (wrapped) where there is none. A
// prepared answer that is not among the choices is an error of kind token.Usage.
func (p *Prepared) Answer(_ context.Context, q challenge.Question) (token.Secret, error) {
	left := turn(q)
	for _, g := range p.given {
		if !g.answers(q) || g.value.Empty() {
			continue
		}
		p.asked[g.name] = true
		if left--; left > 0 {
			continue
		}
		if len(q.Choices) > 0 && !slices.Contains(q.Choices, g.value.Reveal()) {
			return token.Secret{}, usage("%s is not one of: %s", g.option, safetext.Line(strings.Join(q.Choices, ", "), labelLimit))
		}
		return g.value, nil
	}
	return token.Secret{}, noAnswer("there is no --answer " + safetext.Line(q.Name, 64))
}

// turn says which of the prepared answers of one name is meant, from 1. The rounds of a CUSTOM_CHALLENGE all ask for
// ANSWER, and those of a sign-in that begins anew for the same ones again.
func turn(q challenge.Question) int { return max(q.Attempt, q.Round, 1) }

func (g given) answers(q challenge.Question) bool {
	return g.name == q.Name || g.name == q.Challenge+"."+q.Name
}

// Has reports whether there is an answer of that name.
func (p *Prepared) Has(name string) bool {
	return slices.ContainsFunc(p.given, func(g given) bool { return g.name == name })
}

// Names are the names of all prepared answers, in order.
func (p *Prepared) Names() (names []string) {
	for _, g := range p.given {
		names = append(names, g.name)
	}
	return names
}

// Unused names the prepared answers that no question asked for, in order, each once: most often a wrong NAME.
func (p *Prepared) Unused() []string {
	var names []string
	for _, g := range p.given {
		if !p.asked[g.name] && !slices.Contains(names, g.name) {
			names = append(names, g.name)
		}
	}
	return names
}

func usage(format string, args ...any) error {
	return &token.Error{Kind: token.Usage, Message: fmt.Sprintf(format, args...)}
}
