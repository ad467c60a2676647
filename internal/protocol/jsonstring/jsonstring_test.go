package jsonstring

import (
	"bytes"
	"encoding/json"
	"testing"
)

func reference(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func TestEveryRuneUpToTheSurrogates(t *testing.T) {
	for r := rune(0); r < 0x3000; r++ {
		s := "a" + string(r) + "b"
		if got, want := Append(nil, s), reference(t, s); !bytes.Equal(got, want) {
			t.Errorf("U+%04X: %s, encoding/json: %s", r, got, want)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	if got := string(Append([]byte(`{"a":`), `q"\`)); got != `{"a":"q\"\\"` {
		t.Error(got)
	}
}

// FuzzAppend: for every string the bytes are those of encoding/json.
func FuzzAppend(f *testing.F) {
	for _, s := range []string{"", "plain", "<&>", "\x00\x1f\x7f", "\xff\xfe", "\u2028\u2029", "\xed\xa0\x80", "😀\\\"", "\xe2\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := Append(nil, s), reference(t, s); !bytes.Equal(got, want) {
			t.Errorf("%q: %s, encoding/json: %s", s, got, want)
		}
	})
}
