package handover

import (
	"os"
	"strings"
	"testing"
)

func TestEncodeIsTheContract(t *testing.T) {
	o := Offer{FrontVersion: "1.2.3-rc.1", Lock: 7, Replay: None, Resumed: true, Answer: 8}
	if got := o.Encode(); got != "1;1.2.3-rc.1;lock=7;replay=-1;resumed=1;answer=8" {
		t.Error(got)
	}
}

func TestParse(t *testing.T) {
	for _, value := range []string{
		"1;0.0.0-dev;lock=-1;replay=-1;resumed=0;answer=-1",
		"1;9.9.9;lock=3;replay=4;resumed=1;answer=5",
		"1;1.0;lock=-1;replay=-1;resumed=1;answer=5",
		"1;1.0;lock=3;replay=-1;resumed=0;answer=-1;later=x;more=", // from a newer front
		"1;1.0;lock=3;replay=-1;resumed=0",                         // from an older one
		"1;1.0;lock=3;replay=4;resumed=1;later=x",
	} {
		if o, ok := Parse(value); !ok || !strings.HasPrefix(value, encoded(o, value)) {
			t.Errorf("%s: %+v, %v", value, o, ok)
		}
	}
	for _, value := range []string{
		"", "1", "0;1.0;lock=-1;replay=-1;resumed=0", "2;1.0;lock=-1;replay=-1;resumed=0", "01;1.0;lock=-1;replay=-1;resumed=0",
		"1;;lock=-1;replay=-1;resumed=0", "1;a b;lock=-1;replay=-1;resumed=0", "1;\x1b;lock=-1;replay=-1;resumed=0",
		"1;1.0;lock=0;replay=-1;resumed=0", "1;1.0;lock=2;replay=-1;resumed=0", "1;1.0;lock=-2;replay=-1;resumed=0",
		"1;1.0;lock=+3;replay=-1;resumed=0", "1;1.0;lock=03;replay=-1;resumed=0", "1;1.0;lock=;replay=-1;resumed=0",
		"1;1.0;lock=3;replay=3;resumed=0", "1;1.0;lock=99999999999999999999;replay=-1;resumed=0",
		"1;1.0;replay=-1;lock=3;resumed=0", "1;1.0;lock=3;replay=-1;resumed=2", "1;1.0;lock=3;replay=-1;resumed=",
		"1;1.0;lock=3;replay=-1;resumed=0;", "1;1.0;lock=3;replay=-1;resumed=0;x", "1;1.0;lock=3;replay=-1;resumed=0;=x",
		"1;1.0;lock=3;replay=-1;resumed=0;answer=3", "1;1.0;lock=-1;replay=4;resumed=0;answer=4", "1;1.0;lock=-1;replay=-1;resumed=0;answer=2",
		"1;1.0;lock=-1;replay=-1;resumed=0;answer=", "1;1.0;lock=-1;replay=-1;resumed=0;answer=x",
		"1;1.0;lock=3;replay=-1;resumed=0;x=" + strings.Repeat("y", maxValue),
	} {
		if o, ok := Parse(value); ok {
			t.Errorf("%s was accepted: %+v", value, o)
		}
	}
}

// encoded is what value must begin with: its own encoding, without the answer where it comes from a front that had none.
func encoded(o Offer, value string) string {
	if fields := strings.Split(value, ";"); len(fields) < 6 || !strings.HasPrefix(fields[5], "answer=") {
		return strings.TrimSuffix(o.Encode(), ";answer=-1")
	}
	return o.Encode()
}

// FuzzParse: what is accepted begins with its own encoding and names no standard descriptor; nothing panics.
func FuzzParse(f *testing.F) {
	f.Add("1;0.0.0-dev;lock=-1;replay=-1;resumed=0")
	f.Add("1;1.0;lock=3;replay=4;resumed=1;x=y")
	f.Add("1;1.0;lock=-1;replay=4;resumed=1;answer=5;x=y")
	f.Add("1;1.0;lock=-1;replay=4;resumed=1;x=y;answer=5")
	f.Add("1;1.0;lock=0x3;replay=4;resumed=1")
	f.Fuzz(func(t *testing.T, value string) {
		o, ok := Parse(value)
		if !ok {
			return
		}
		if rest, found := strings.CutPrefix(value, encoded(o, value)); !found || rest != "" && rest[0] != ';' {
			t.Fatalf("%q became %q", value, o.Encode())
		}
		for _, fd := range []int{o.Lock, o.Replay, o.Answer} {
			if fd != None && fd < 3 {
				t.Fatalf("%q names descriptor %d", value, fd)
			}
		}
	})
}

// environment is one with only our variable.
func environment(value string) (getenv func(string) string, unset func(string) error, unsets *int) {
	unsets = new(int)
	return func(name string) string {
			if name == Variable {
				return value
			}
			return ""
		}, func(name string) error {
			if name == Variable {
				*unsets++
			}
			return nil
		}, unsets
}

func TestTakeWithoutAFront(t *testing.T) {
	getenv, unset, _ := environment("")
	if s, ok := Take(getenv, unset); ok || s != (State{}) {
		t.Errorf("%+v", s)
	}
}

func TestTakeIgnoresTheMalformedButUnsetsIt(t *testing.T) {
	for _, value := range []string{"nonsense", "1;1.0;lock=1000;replay=-1;resumed=0", "1;1.0;lock=-1;replay=1000;resumed=1",
		"1;1.0;lock=-1;replay=-1;resumed=1;answer=1000"} {
		getenv, unset, unsets := environment(value)
		if s, ok := Take(getenv, unset); ok || s != (State{}) || *unsets != 1 {
			t.Errorf("%s: %+v, %v, unset %d times", value, s, ok, *unsets)
		}
	}
}

func TestTakeFromAnotherVersion(t *testing.T) {
	getenv, unset, unsets := environment("1;99.0.0;lock=-1;replay=-1;resumed=1")
	s, ok := Take(getenv, unset)
	if !ok || s.FrontVersion != "99.0.0" || !s.Resumed || s.Lock != nil || s.Replay != nil || s.Answer != nil || *unsets != 1 {
		t.Errorf("%+v, %v, unset %d times", s, ok, *unsets)
	}
}

func TestHoldLeavesNoName(t *testing.T) {
	folder := t.TempDir()
	f, err := Hold(folder, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
