package inifile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/netsdk"
)

// The .NET SDK's store is searched first, gives the whole of a profile, and is not searched with a location.
func TestTheEncryptedStoreComesFirst(t *testing.T) {
	home := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(home, ".aws", "config")
	write(config, "[profile both]\ncognito_client_id = file\ncognito_username = file\n[profile file]\ncognito_client_id = file\n")
	s := netsdk.In(home, func(b []byte) ([]byte, error) { return b, nil })
	write(s.Path, `{"a": {"DisplayName": "both", "cognito_client_id": "store", "Region": "eu-west-1"},
		"b": {"DisplayName": "corporate", "ProfileType": "SAML", "EndpointName": "adfs"},
		"c": {"DisplayName": "bad", "cognito_user_pool_id": "none"}}`)
	o := Options{Getenv: func(string) string { return "" }, Home: home, Encrypted: s}
	load := func(name, location string) (profiles.Profile, error) {
		return Load(profiles.Selection{Name: name, Named: true, Location: location}, o)
	}

	p, err := load("both", "")
	if err != nil || p.ClientID != "store" || p.Username != "" || p.Region != "eu-west-1" || len(p.Consulted) != 1 || p.Consulted[0].Path != s.Path {
		t.Errorf("both: %+v, %v", p, err)
	}
	if p, err := load("both", config); err != nil || p.ClientID != "file" || p.Username != "file" || len(p.Consulted) != 1 {
		t.Errorf("both, with a location: %+v, %v", p, err)
	}
	// The store was asked before the files, so that an index must not outlive a change of it.
	if p, err := load("file", ""); err != nil || p.ClientID != "file" || len(p.Consulted) != 3 || p.Consulted[0].Path != s.Path {
		t.Errorf("file: %+v, %v", p, err)
	}
	if p, err := load("corporate", ""); err != nil || p.SAMLEndpoint != "adfs" {
		t.Errorf("corporate: %+v, %v", p, err)
	}
	var wrong *profiles.KeyError
	if _, err := load("bad", ""); !errors.As(err, &wrong) || wrong.File != s.Path || wrong.Line != 0 {
		t.Errorf("bad: %v", err)
	}
	var missing *profiles.NotFoundError
	if _, err := load("corporat", ""); !errors.As(err, &missing) || missing.Files[0] != s.Path || missing.Nearest != "corporate" {
		t.Errorf("corporat: %v", err)
	}
	if names, err := Names("", o); err != nil || strings.Join(names, " ") != "bad both file" {
		t.Errorf("%q, %v", names, err)
	}
	write(s.Path, "{")
	if _, err := load("file", ""); !errors.As(err, new(*profiles.FileError)) {
		t.Errorf("damaged store: %v", err)
	}
}
