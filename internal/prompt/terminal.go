// Package prompt gets the answers that only a person has: from the terminal, or from what was prepared on the command line
// and standard input.
//
// It guarantees that questions go to the terminal itself, never to standard input, output, or error; that a secret is not
// echoed; that the terminal is as it was before whatever ends a question; and that no text of a server's reaches the
// terminal as it came. It never guesses an answer and never keeps one.
package prompt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	labelLimit = 200 // runes of a question's own text
	maxAnswer  = 64 << 10
	maxTries   = 5 // a terminal that answers nothing for ever must not hold us for ever
)

// Terminal asks on the controlling terminal. The zero value is ready. Not safe for concurrent use: one terminal has one
// person.
//
// Ctrl-C reaches it as the end of the context, so the caller's context must end on an interrupt.
type Terminal struct {
	// Plain leaves out the escape sequences that erase an answered question (TERM=dumb).
	Plain bool

	drawn token.Secret            // the URI that was shown last: asking again does not show it again
	open  func() (*device, error) // nil: the controlling terminal
}

var _ challenge.Answerer = (*Terminal)(nil)

// device is an open terminal: on Unix both ends are the same file.
type device struct{ in, out *os.File }

func (d *device) close() {
	d.in.Close()
	if d.out != d.in {
		d.out.Close()
	}
}

// Present reports whether there is a terminal to ask on.
func (t *Terminal) Present() bool {
	d, err := t.device()
	if err != nil {
		return false
	}
	d.close()
	return true
}

// Tell shows one line on the terminal, for hosts that hide standard error. It does nothing where there is no terminal.
func (t *Terminal) Tell(line string) {
	d, err := t.device()
	if err != nil {
		return
	}
	defer d.close()
	fmt.Fprintf(d.out, "%s\n", safetext.Line(line, 4*labelLimit))
}

// Answer asks q. It returns challenge.ErrNoAnswer (wrapped) where there is no terminal, and an error of kind
// token.Interrupted that wraps the context's when that ends first. An answer is never empty.
func (t *Terminal) Answer(ctx context.Context, q challenge.Question) (token.Secret, error) {
	if q.Challenge == passkey {
		return token.Secret{}, noAnswer("a passkey's answer cannot be typed")
	}
	d, err := t.device()
	if err != nil {
		return token.Secret{}, err
	}
	defer d.close()
	if q.Secret {
		// Before anything is shown: a quick person begins to type at the first word of it.
		restore, err := hush(d.in)
		if err != nil {
			return token.Secret{}, noAnswer("the terminal cannot hide what is typed")
		}
		defer restore()
	}
	t.show(d, q)
	for range maxTries {
		typed, err := t.ask(ctx, d, safetext.Line(label(q), labelLimit)+": ", q.Secret)
		if err != nil {
			return token.Secret{}, err
		}
		answer, complaint := accept(q, typed)
		if complaint == "" && q.Twice {
			if complaint, err = t.again(ctx, d, q, typed); err != nil {
				return token.Secret{}, err
			}
		}
		if complaint == "" {
			return token.NewSecret(answer), nil
		}
		fmt.Fprintf(d.out, "%s\n", complaint)
	}
	return token.Secret{}, &token.Error{Kind: token.Usage, Message: "no usable answer after " + strconv.Itoa(maxTries) + " tries"}
}

// again has an answer typed a second time.
func (t *Terminal) again(ctx context.Context, d *device, q challenge.Question, typed string) (complaint string, err error) {
	second, err := t.ask(ctx, d, safetext.Line(q.Label, labelLimit)+", again: ", q.Secret)
	if err == nil && second != typed {
		complaint = "the two are not the same"
	}
	return complaint, err
}

// Confirm asks a yes/no question; anything but a clear yes is a no. Errors are those of Answer.
func (t *Terminal) Confirm(ctx context.Context, question string) (bool, error) {
	d, err := t.device()
	if err != nil {
		return false, err
	}
	defer d.close()
	typed, err := t.ask(ctx, d, safetext.Line(question, labelLimit)+" [y/N] ", false)
	if err != nil {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(typed)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}

func (t *Terminal) device() (*device, error) {
	open := t.open
	if open == nil {
		open = openDevice
	}
	d, err := open()
	if err != nil {
		return nil, noAnswer("there is no terminal")
	}
	return d, nil
}

// noAnswer is why nobody could be asked. Whoever asked says so already, so that challenge.ErrNoAnswer shows only to
// errors.Is.
type noAnswer string

// Error gives the reason.
func (e noAnswer) Error() string { return string(e) }

// Unwrap gives challenge.ErrNoAnswer.
func (e noAnswer) Unwrap() error { return challenge.ErrNoAnswer }

func label(q challenge.Question) string {
	if len(q.Choices) > 0 {
		return fmt.Sprintf("%s (1-%d)", q.Label, len(q.Choices))
	}
	return q.Label
}

// accept checks what was typed; the complaint is "" for a good answer.
func accept(q challenge.Question, typed string) (answer, complaint string) {
	if !q.Secret {
		typed = strings.TrimSpace(typed)
	}
	switch {
	case typed == "":
		return "", "an answer is needed (Ctrl-C ends)"
	case len(q.Choices) == 0:
		return typed, ""
	}
	if n, err := strconv.Atoi(typed); err == nil && n >= 1 && n <= len(q.Choices) {
		return q.Choices[n-1], ""
	}
	if slices.Contains(q.Choices, typed) {
		return typed, ""
	}
	return "", fmt.Sprintf("type a number from 1 to %d", len(q.Choices))
}

// ask shows one question and reads one line, without its end. A secret's terminal is hushed already.
func (t *Terminal) ask(ctx context.Context, d *device, question string, secret bool) (string, error) {
	if _, err := io.WriteString(d.out, question); err != nil {
		return "", noAnswer("the terminal cannot be written to")
	}
	typed, err := readLine(ctx, d.in)
	if err != nil {
		io.WriteString(d.out, "\n")
		return "", err
	}
	t.erase(d.out, secret)
	return typed, nil
}

// erase takes an answered question off the screen. Where the terminal echoed the newline, the cursor is a line below it.
func (t *Terminal) erase(out io.Writer, hidden bool) {
	switch {
	case t.Plain && hidden:
		io.WriteString(out, "\n")
	case t.Plain:
	case hidden:
		io.WriteString(out, "\r\x1b[K")
	default:
		io.WriteString(out, "\x1b[F\x1b[K")
	}
}

// readLine waits for a line, or the context's end.
func readLine(ctx context.Context, in *os.File) (string, error) {
	type result struct {
		text string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		text, err := scanLine(in)
		read <- result{text, err}
	}()
	select {
	case r := <-read:
		return r.text, r.err
	case <-ctx.Done():
		// Wakes the reader where the platform polls terminals (Linux). Elsewhere it stays in its read until the process
		// ends, which an interrupted sign-in soon does.
		if in.SetReadDeadline(time.Unix(1, 0)) == nil {
			<-read
		}
		return "", interrupted(ctx)
	}
}

func interrupted(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &token.Error{Kind: token.Unavailable, Message: "nobody answered in time", Err: ctx.Err()}
	}
	return &token.Error{Kind: token.Interrupted, Message: "interrupted", Err: ctx.Err()}
}

// scanLine reads up to a line's end. A terminal gives one line per read, so nothing of the next line is taken. It may be a
// password: the buffers never grow, which would leave copies, and are wiped.
func scanLine(in io.Reader) (string, error) {
	chunk := make([]byte, 4096)
	line := make([]byte, 0, maxAnswer+len(chunk))
	defer func() {
		clear(chunk)
		clear(line[:cap(line)])
	}()
	for {
		n, err := in.Read(chunk)
		if end := bytes.IndexAny(chunk[:n], "\r\n"); end >= 0 {
			return string(append(line, chunk[:end]...)), nil
		}
		line = append(line, chunk[:n]...)
		switch {
		case len(line) > maxAnswer:
			return "", &token.Error{Kind: token.Usage, Message: "the answer is too long"}
		case err == io.EOF:
			return "", &token.Error{Kind: token.Interrupted, Message: "the terminal ended the question"}
		case err != nil:
			return "", noAnswer("the terminal cannot be read")
		}
	}
}

// Chain asks each Answerer in turn, until one of them can answer.
type Chain []challenge.Answerer

var _ challenge.Answerer = Chain(nil)

// Answer returns the first answer that there is. When nobody has one, the error is the last one's and wraps
// challenge.ErrNoAnswer.
func (c Chain) Answer(ctx context.Context, q challenge.Question) (token.Secret, error) {
	last := challenge.ErrNoAnswer
	for _, a := range c {
		answer, err := a.Answer(ctx, q)
		if !errors.Is(err, challenge.ErrNoAnswer) {
			return answer, err
		}
		last = err
	}
	return token.Secret{}, last
}
