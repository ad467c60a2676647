package tokencache

import (
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func sampleAttempt(work string) Attempt {
	return Attempt{
		Work: work, PID: 4711, Started: day, Ended: day.Add(time.Second), Token: [8]byte{9, 8, 7}, Outcome: Transient,
		Message: "the network is down", Hint: "try again", Failures: 3, Settings: [8]byte{1, 2, 3},
	}
}

func TestAttemptsAreKeptByWork(t *testing.T) {
	s := newStore(t)
	tx := s.lock(t)
	refresh, exchange := sampleAttempt("refresh"), sampleAttempt("exchange pool/role")
	refresh.Outcome, refresh.Ended, refresh.Attached = Running, time.Time{}, true
	for _, a := range []Attempt{refresh, exchange} {
		if err := tx.Record(a); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []Attempt{refresh, exchange} {
		if got, ok := s.cache.LastAttempt(s.id, want.Work); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, ok, want)
		}
	}
	refresh.Outcome, refresh.Message, refresh.Hint = Done, "", ""
	if err := tx.Record(refresh); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.cache.LastAttempt(s.id, "refresh"); !reflect.DeepEqual(got, refresh) {
		t.Errorf("got %+v", got)
	}
	tx.Unlock()
	s.lock(t) // a new holder keeps the attempts
	if _, ok := s.cache.LastAttempt(s.id, exchange.Work); !ok {
		t.Error("the other work's attempt is gone")
	}
	if _, ok := s.cache.LastAttempt(s.id, "nothing"); ok {
		t.Error("an attempt of a work that was never tried")
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	s := newStore(t)
	tx := s.lock(t)
	for i := range 3 * maxAttempts {
		a := sampleAttempt("exchange " + strconv.Itoa(i) + strings.Repeat("ü", 4*maxSentence))
		a.Started = day.Add(time.Duration(i) * time.Minute)
		a.Message = strings.Repeat("€", maxSentence)
		if err := tx.Record(a); err != nil {
			t.Fatal(err)
		}
		got, ok := s.cache.LastAttempt(s.id, a.Work)
		if !ok || len(got.Message) > maxSentence || !utf8.ValidString(got.Message) || !utf8.ValidString(got.Work) {
			t.Fatalf("%d: %v, message of %d bytes", i, ok, len(got.Message))
		}
	}
	if n := len(tx.attempts()); n != maxAttempts {
		t.Errorf("%d attempts", n)
	}
}

// Whatever a crash or another program leaves in a lock file, it reads as no attempt and does not keep anybody from
// locking and recording anew.
func TestGarbageInTheLockFile(t *testing.T) {
	s := newStore(t)
	tx := s.lock(t)
	if err := tx.Record(sampleAttempt("refresh")); err != nil {
		t.Fatal(err)
	}
	tx.Unlock()
	good, err := os.ReadFile(s.lockPath())
	if err != nil {
		t.Fatal(err)
	}
	try := func(name string, b []byte) {
		if err := os.WriteFile(s.lockPath(), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if a, ok := s.cache.LastAttempt(s.id, "refresh"); ok && !reflect.DeepEqual(a, sampleAttempt("refresh")) {
			t.Errorf("%s: read %+v", name, a)
		}
		tx := s.lock(t)
		if err := tx.Record(sampleAttempt("refresh")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, ok := s.cache.LastAttempt(s.id, "refresh"); !ok {
			t.Errorf("%s: recorded, but not read", name)
		}
		tx.Unlock()
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x40
		try("flip at "+strconv.Itoa(i), bad)
		try("cut at "+strconv.Itoa(i), good[:i])
	}
	try("text", []byte(strings.Repeat("not ours\n", 5000)))
}

// Property: decode∘encode is the identity, and no input makes the decoder panic.
func FuzzAttempts(f *testing.F) {
	f.Add([]byte{}, "refresh", "message", 1)
	f.Add(append(make([]byte, holderSize), encodeAttempts([]Attempt{sampleAttempt("refresh")})...), "w", "", 0)
	f.Fuzz(func(t *testing.T, raw []byte, work, message string, failures int) {
		decodeAttempts(raw)
		a := sampleAttempt(cut(work))
		a.Message, a.Failures = cut(message), int(uint32(failures))
		list, ok := decodeAttempts(append(make([]byte, holderSize), encodeAttempts([]Attempt{a, a})...))
		if !ok || !reflect.DeepEqual(list, []Attempt{a, a}) {
			t.Errorf("%+v, %v; want %+v", list, ok, a)
		}
	})
}
