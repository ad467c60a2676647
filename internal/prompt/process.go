package prompt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

const (
	processWait = 2 * time.Minute // the longest that a program may take: a person may have to touch a key
	endWait     = 2 * time.Second // after that, for its pipes to close
	maxSaid     = 50              // lines of its standard error that are passed on
	passkey     = "WEB_AUTHN"
	processFlag = "--mfa-process"
)

// ownVariables begins the names of our own variables, which hold keys and descriptors and are nobody else's.
const ownVariables = "COGNITO_CREDHELPER_"

// Process answers by an external program: one run for each question, which gets the question as one JSON object on its
// standard input and prints the answer.
//
// It is asked for what a program can know: codes, the answers to a CUSTOM_CHALLENGE, a passkey's credential. It is never
// asked for a name, a password, or a choice. The first line that it prints is the answer, for a passkey the whole output,
// one JSON object. No output means that it has no answer, so that somebody else is asked; an exit code other than 0 ends
// the sign-in. Not safe for concurrent use.
type Process struct {
	argv    []string
	environ []string
	said    func(line string)
}

var _ challenge.Answerer = (*Process)(nil)

// NewProcess splits line into words as a shell does, without being one: the program is run directly. The program gets environ
// without our own variables; lines that it writes to standard error go to said, fit to print. Errors are of kind
// token.Usage.
func NewProcess(line string, environ []string, said func(line string)) (*Process, error) {
	argv, err := splitWords(line)
	if err != nil {
		return nil, err
	}
	own := func(v string) bool { return strings.HasPrefix(strings.ToUpper(v), ownVariables) }
	return &Process{argv, slices.DeleteFunc(slices.Clone(environ), own), said}, nil
}

// processQuestion is what the program reads, one JSON object. Members are only ever added.
type processQuestion struct {
	Challenge  string            `json:"challenge"`
	Name       string            `json:"name"`
	Label      string            `json:"label"`
	Note       string            `json:"note,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"`
	URI        string            `json:"uri,omitempty"` // otpauth, where an authenticator app is set up; it holds a secret
	Attempt    int               `json:"attempt"`
}

// Answer runs the program. It returns challenge.ErrNoAnswer (wrapped) for questions that no program is asked, and where
// the program printed nothing; else errors are of kind token.Failure, token.Unavailable when it took longer than two
// minutes, and token.Interrupted.
func (p *Process) Answer(ctx context.Context, q challenge.Question) (token.Secret, error) {
	if !forProgram(q) {
		return token.Secret{}, noAnswer(processFlag + " is not asked for this")
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // a URI stays one that a script can cut out
	if err := encoder.Encode(processQuestion{q.Challenge, q.Name, q.Label, q.Note, q.Parameters, q.URI.Reveal(), max(q.Attempt, 1)}); err != nil {
		return token.Secret{}, err
	}
	out, err := p.run(ctx, text.Bytes())
	if err != nil {
		return token.Secret{}, err
	}
	if q.Challenge == passkey {
		return credential(out)
	}
	line, _, _ := strings.Cut(strings.TrimLeft(string(out), "\r\n"), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return token.Secret{}, noAnswer(processFlag + " printed no answer")
	}
	return token.NewSecret(line), nil
}

// forProgram reports whether a program may know the answer.
func forProgram(q challenge.Question) bool {
	switch {
	case len(q.Choices) > 0:
		return false
	case q.Challenge == passkey, q.Challenge == "CUSTOM_CHALLENGE":
		return true
	default:
		return strings.HasSuffix(q.Name, "_CODE") && !strings.Contains(q.Name, ".")
	}
}

// credential checks that a passkey's answer is one JSON object: Cognito would only say that it is wrong.
func credential(out []byte) (token.Secret, error) {
	if len(bytes.TrimSpace(out)) == 0 {
		return token.Secret{}, noAnswer(processFlag + " printed no answer")
	}
	var one bytes.Buffer
	if err := json.Compact(&one, out); err != nil || one.Bytes()[0] != '{' {
		return token.Secret{}, failed("printed something that is not one JSON object")
	}
	return token.NewSecret(one.String()), nil
}

// run gives the program the question and returns what it printed.
func (p *Process) run(ctx context.Context, question []byte) ([]byte, error) {
	within, cancel := context.WithTimeout(ctx, processWait)
	defer cancel()
	cmd := exec.CommandContext(within, p.argv[0], p.argv[1:]...)
	cmd.Env = p.environ
	cmd.WaitDelay = endWait
	cmd.Stdin = bytes.NewReader(question)
	out := &bounded{limit: maxAnswer}
	said := &lines{say: p.said}
	cmd.Stdout, cmd.Stderr = out, said
	err := cmd.Run()
	said.end()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, interrupted(ctx)
	case within.Err() != nil:
		return nil, &token.Error{Kind: token.Unavailable, Message: "the program of " + processFlag + " did not answer in time"}
	case out.over:
		return nil, failed("printed more than 64 KiB")
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return out.kept.Bytes(), nil
	case errors.As(err, &exit):
		return nil, failed("ended with " + exit.String())
	default:
		return nil, failed("cannot be started")
	}
}

func failed(how string) error {
	return &token.Error{Kind: token.Failure, Message: "the program of " + processFlag + " " + how}
}

// bounded keeps what a program prints, up to a limit, and takes the rest without keeping it.
type bounded struct {
	kept  bytes.Buffer
	limit int
	over  bool
}

// Write never fails: a program must not end because we read no further.
func (b *bounded) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > b.limit {
		b.over = true
		return len(p), nil
	}
	return b.kept.Write(p)
}

var _ io.Writer = (*bounded)(nil)

// lines passes on what a program says, line by line and fit to print.
type lines struct {
	say  func(string)
	part []byte
	n    int
}

// Write passes whole lines on and keeps the rest for the next call.
func (l *lines) Write(p []byte) (int, error) {
	for _, b := range p {
		if b == '\n' {
			l.end()
		} else if len(l.part) < 4*valueLimit {
			l.part = append(l.part, b)
		}
	}
	return len(p), nil
}

// end passes on what has no newline.
func (l *lines) end() {
	if text := strings.TrimSpace(string(l.part)); text != "" && l.n < maxSaid {
		l.n++
		l.say(safetext.Line(text, valueLimit))
	}
	l.part = l.part[:0]
}

// splitWords splits a command line at blanks. Quotes of both kinds and, but for Windows, where it is part of paths, the
// backslash keep what they guard together. What only a shell could carry out is refused rather than given to the program as
// text.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	open, within := false, byte(0) // in a word; in quotes
	escapes := runtime.GOOS != "windows"
	for i := 0; i < len(line); i++ { // by bytes: a path may be anything, and all that counts here is ASCII
		c := line[i]
		switch {
		case c == 0 || c == '\n' || c == '\r':
			return nil, usage("%s takes one line", processFlag)
		case c == '\\' && i+1 < len(line) && escaping(within, line[i+1], escapes):
			i++
			word.WriteByte(line[i])
			open = true
		case within != 0 && c == within:
			within = 0
		case within != 0:
			word.WriteByte(c)
		case c == '\'' || c == '"':
			within, open = c, true
		case strings.IndexByte("|&;<>`$", c) >= 0:
			return nil, usage("%s runs a program without a shell: quote the %q, or name a script", processFlag, c)
		case c != ' ' && c != '\t':
			word.WriteByte(c)
			open = true
		case open:
			words = append(words, word.String())
			word.Reset()
			open = false
		}
	}
	if within != 0 {
		return nil, usage("%s: a quote is not closed", processFlag)
	}
	if open {
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, usage("%s names no program", processFlag)
	}
	return words, nil
}

// escaping reports whether a backslash keeps next as it is, where the platform has such a thing: in double quotes only the
// quote and itself, outside of quotes everything.
func escaping(within, next byte, escapes bool) bool {
	switch within {
	case '"':
		return escapes && (next == '"' || next == '\\')
	case 0:
		return escapes
	default:
		return false
	}
}
