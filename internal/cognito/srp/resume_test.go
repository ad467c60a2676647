package srp

import (
	"crypto/rand"
	"testing"
)

func TestResumeGoesOnWithTheSameValue(t *testing.T) {
	h, err := Start(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Resume(h.Private())
	if err != nil || again.A() != h.A() {
		t.Errorf("A is %s, want %s; %v", again.A(), h.A(), err)
	}
	for _, bad := range [][]byte{nil, {1}, make([]byte, exponentBytes), append(h.Private(), 1)} {
		if _, err := Resume(bad); err == nil {
			t.Errorf("%d bytes were taken", len(bad))
		}
	}
}
