package inifile

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/netsdk"
)

func TestLoadBindings(t *testing.T) {
	h := newHome(t, `[b]
cognito_client_id = fromcredentials
`, `[profile c]
cognito_client_id = x
[profile b]
cognito_client_id = fromconfig
cognito_hosts =
  git.example.com/team = access user=bob
  bücher.example = id
[default]
cognito_hosts =
  *.d.example = id
[profile broken]
cognito_client_id = !
cognito_hosts =
  git.example.com = id
[profile torn]
cognito_hosts =
  git.example.com
[profile empty]
cognito_hosts =
[profile elsewhere]
cognito_client_id = !
`)
	got, err := LoadBindings(h.options())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range got.Profiles {
		names = append(names, p.Name)
	}
	if !reflect.DeepEqual(names, []string{"b", "default"}) {
		t.Fatalf("profiles %v", names)
	}
	b := got.Profiles[0]
	want := []profiles.Binding{{Host: "git.example.com", Path: "/team", Kind: "access", User: "bob"}, {Host: "xn--bcher-kva.example", Kind: "id"}}
	if b.ClientID != "fromcredentials" || !reflect.DeepEqual(b.Hosts, want) {
		t.Errorf("b is %s %+v", b.ClientID, b.Hosts)
	}
	if len(got.Broken) != 2 || !strings.Contains(got.Broken[0].Error(), "[profile broken] cognito_client_id") || !strings.Contains(got.Broken[1].Error(), "[profile torn] cognito_hosts") {
		t.Errorf("broken: %v", got.Broken)
	}
	if len(got.Consulted) != 2 || got.Consulted[0].Path != h.credentials || got.Consulted[1].Path != h.config {
		t.Errorf("consulted %+v", got.Consulted)
	}
}

// One profile read with all others is what it is when it is read alone.
func TestBindingsAreThoseOfEachProfile(t *testing.T) {
	h := newHome(t, "[dev]\ncognito_username = bob\n", complete)
	got, err := LoadBindings(h.options())
	if err != nil || len(got.Profiles) == 0 {
		t.Fatalf("%+v %v", got, err)
	}
	for _, p := range got.Profiles {
		alone := mustLoad(t, h, p.Name)
		alone.Consulted = nil
		if !reflect.DeepEqual(p, alone) {
			t.Errorf("together %+v\nalone    %+v", p, alone)
		}
	}
}

// A profile of the .NET SDK's store is none of the files', and one that is broken there says nothing about hosts.
func TestBindingsBesideTheEncryptedStore(t *testing.T) {
	const bound = "cognito_hosts =\n  h.example = id\n"
	h := newHome(t, "", "[profile both]\n"+bound+"[profile file]\n"+bound)
	o := h.options()
	o.Encrypted = netsdk.In(h.folder, func(b []byte) ([]byte, error) { return b, nil })
	if err := os.MkdirAll(filepath.Dir(o.Encrypted.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, o.Encrypted.Path, `{"a": {"DisplayName": "both", "cognito_client_id": "store"}, "b": {"DisplayName": "bad", "cognito_user_pool_id": "none"}}`)
	got, err := LoadBindings(o)
	if err != nil || len(got.Profiles) != 1 || got.Profiles[0].Name != "file" || len(got.Broken) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if len(got.Consulted) != 3 || got.Consulted[0].Path != o.Encrypted.Path || got.Consulted[0].Absent {
		t.Errorf("consulted %+v", got.Consulted)
	}
	write(t, o.Encrypted.Path, "{")
	if _, err := LoadBindings(o); err == nil {
		t.Error("a damaged store was passed over")
	}
}

func TestASCIIHost(t *testing.T) {
	for _, test := range []struct {
		name, want string
		ok         bool
	}{
		{"h.example", "h.example", true},
		{"bücher.example", "xn--bcher-kva.example", true},
		{"BÜCHER.example", "xn--bcher-kva.example", true},
		{"xn--bcher-kva.example", "xn--bcher-kva.example", true},
		{"ｈ.example", "h.example", true},                // full width: IDNA maps it to the letter, as browsers do
		{"аpple.example", "xn--pple-43d.example", true}, // a Cyrillic letter is another name
		{"a\u200db.example", "", false},
		{"stra\u00dfe.example", "", false}, // strasse.example to IDNA 2003
		{"\u03c3\u03c2.example", "", false},
		{"xn--strae-oqa.example", "xn--strae-oqa.example", true},
	} {
		got, ok := ASCIIHost(profiles.Host{Name: test.name})
		if ok != test.ok || ok && got.Name != test.want {
			t.Errorf("%q: %q %v", test.name, got.Name, ok)
		}
	}
}
