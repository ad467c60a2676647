package jsonobject

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	o, err := Parse([]byte(` {"a": "x\u00e9\n\ud83d\ude00\ud83dz", "n": -1.5e+3, "o": {"b": ["1", 2, true, null]}, "e": {}, "": ""} ` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := o.Get("a").String(); !ok || s != "xé\n😀\ufffdz" {
		t.Errorf("a is %q, %v", s, ok)
	}
	inner, ok := o.Get("o").Object()
	if !ok {
		t.Fatal("o is no object")
	}
	list, ok := inner.Get("b").Array()
	if !ok || len(list) != 4 || list[2] != "true" {
		t.Errorf("b is %q", list)
	}
	if s, ok := list[0].String(); !ok || s != "1" {
		t.Errorf("b[0] is %q", s)
	}
	for _, v := range []Value{o.Get("n"), o.Get("absent")} {
		if _, ok := v.String(); ok {
			t.Errorf("%q is a string", v)
		}
		if _, ok := v.Object(); ok {
			t.Errorf("%q is an object", v)
		}
		if _, ok := v.Array(); ok {
			t.Errorf("%q is an array", v)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]error{
		``: errForm, `[]`: errForm, `{`: errForm, `{"a"}`: errForm, `{"a":1,}`: errForm, `{"a":01}`: errForm, `{"a":.5}`: errForm, `{} x`: errForm,
		`{"a":tru}`: errForm, `{"a":"` + "\n" + `"}`: errForm, `{"a":"\x"}`: errForm, `{"a":"\u12"}`: errForm, `{"a":1e}`: errForm,
		`{"a":1,"a":2}`: errTwice, `{"a":{"b":1,"b":1}}`: errTwice, `{"a":1,"\u0061":2}`: errTwice, "{\"a\":\"\xff\"}": errUTF8,
		`{"a":` + strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1) + `}`: errDeep,
	} {
		if _, err := Parse([]byte(text)); err != want {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// What Parse takes, encoding/json takes and reads alike; what encoding/json takes as an object, Parse takes unless it names
// one of its own reasons.
func FuzzParse(f *testing.F) {
	for _, text := range []string{`{"a":"b"}`, `{"a":{"b":[1,2.5e-3,"\ud800\udc00"]},"c":null}`, `{"a":1,"a":2}`, `{"\u0000":"\/"}`, ` {} `} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := Parse(text)
		var want map[string]json.RawMessage
		theirs := json.Unmarshal(text, &want)
		if err != nil {
			if theirs == nil && want != nil && err == errForm {
				t.Fatalf("refused %q", text)
			}
			return
		}
		if theirs != nil || len(want) != len(o) {
			t.Fatalf("took %q: %v", text, theirs)
		}
		for _, m := range o {
			if string(want[m.Name]) != string(m.Value) {
				t.Fatalf("%q is %q, want %q", m.Name, m.Value, want[m.Name])
			}
			if s, ok := m.Value.String(); ok {
				var theirs string
				if err := json.Unmarshal([]byte(m.Value), &theirs); err != nil || s != theirs {
					t.Fatalf("%q is %q, want %q (%v)", m.Value, s, theirs, err)
				}
			}
		}
	})
}
