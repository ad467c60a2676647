package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
)

// maxInput bounds one line, or one object, of standard input.
const maxInput = 1 << 20

// rawInput is one app client of a raw command's input.
type rawInput struct {
	id  string
	err error // why it is none; the rest goes on
	end error // why there is no rest
}

// clientIDs reads app client ids from in: one a line, or JSON objects with ClientId, one a line or in an array. The channel
// gives each as soon as it is there, and is closed at the end.
func clientIDs(ctx context.Context, in io.Reader) <-chan rawInput {
	out := make(chan rawInput)
	give := func(i rawInput) bool {
		select {
		case out <- i:
			return i.end == nil
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		defer close(out)
		r := bufio.NewReader(in)
		first, err := firstByte(r)
		switch {
		case err == io.EOF:
		case err != nil:
			give(rawInput{end: unreadableInput(err)})
		case first == '[':
			eachElement(r, give)
		default:
			eachLine(r, give)
		}
	}()
	return out
}

// firstByte skips blanks, and a byte order mark, which PowerShell writes.
func firstByte(r *bufio.Reader) (byte, error) {
	if mark, _ := r.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = r.Discard(3)
	}
	for {
		b, err := r.ReadByte()
		if err != nil || !strings.ContainsRune(" \t\r\n", rune(b)) {
			if err == nil {
				err = r.UnreadByte()
			}
			return b, err
		}
	}
}

func eachLine(r *bufio.Reader, give func(rawInput) bool) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxInput)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) > 0 && !give(oneInput(line)) {
			return
		}
	}
	if err := lines.Err(); err != nil {
		give(rawInput{end: unreadableInput(err)})
	}
}

func eachElement(r io.Reader, give func(rawInput) bool) {
	d := json.NewDecoder(r)
	_, err := d.Token()
	for err == nil && d.More() {
		var element json.RawMessage
		if err = d.Decode(&element); err == nil && !give(oneInput(element)) {
			return
		}
	}
	if err == nil {
		_, err = d.Token() // the closing bracket
	}
	if err != nil {
		give(rawInput{end: unreadableInput(err)})
	}
}

// oneInput reads a plain id, a JSON string, or a JSON object with ClientId; its other members are another command's.
func oneInput(text []byte) rawInput {
	var object struct {
		ClientID string `json:"ClientId"`
	}
	id := string(text)
	switch text[0] {
	case '{':
		if json.Unmarshal(text, &object) != nil || object.ClientID == "" {
			return rawInput{err: usageOf("the input is no JSON object with ClientId")}
		}
		id = object.ClientID
	case '"':
		if json.Unmarshal(text, &id) != nil {
			return rawInput{err: usageOf("the input is no app client id")}
		}
	}
	return rawInput{id: id, err: checkClientID("the input", id)}
}

func checkClientID(what, id string) error {
	if inifile.CheckValue("cognito_client_id", id) != nil {
		return usageOf(what + " is no app client id: it must be at most 128 letters and digits")
	}
	return nil
}

func usageOf(message string) error { return &token.Error{Kind: token.Usage, Message: message} }

func unreadableInput(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) {
		return usageOf("standard input is no JSON array of objects with ClientId")
	}
	return &token.Error{Kind: token.Usage, Message: "standard input cannot be read", Err: err}
}

// piped reports whether standard input is a pipe or a file, and not a terminal or another device.
func (p *program) piped() bool {
	f, ok := p.Stdin.(*os.File)
	if !ok {
		return p.Stdin != nil
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeDevice == 0
}
