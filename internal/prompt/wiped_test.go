package prompt

import (
	"bytes"
	"io"
	"testing"
)

// keeper is a reader that keeps the buffers that it was given to fill.
type keeper struct {
	text    string
	buffers [][]byte
}

func (k *keeper) Read(b []byte) (int, error) {
	if k.text == "" {
		return 0, io.EOF
	}
	n := copy(b, k.text)
	k.text = k.text[n:]
	k.buffers = append(k.buffers, b)
	return n, nil
}

// What was read as a password is not left behind in the buffers that it was read into.
func TestBuffersAreWiped(t *testing.T) {
	typed, piped := &keeper{text: "hunter2-typed\n"}, &keeper{text: "hunter2-piped\n"}
	if line, err := scanLine(typed); err != nil || line != "hunter2-typed" {
		t.Errorf("%q, %v", line, err)
	}
	if value, err := readValue("--x", piped); err != nil || value.Reveal() != "hunter2-piped" {
		t.Errorf("%v", err)
	}
	for _, k := range []*keeper{typed, piped} {
		for _, b := range k.buffers {
			if bytes.Contains(b[:cap(b)], []byte("hunter2")) {
				t.Error("a buffer still has the password")
			}
		}
		if len(k.buffers) == 0 {
			t.Error("nothing was read")
		}
	}
}
