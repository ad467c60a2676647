package netsdk

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// protect is a fake of DPAPI: what another user protected begins otherwise.
func protect(text string) string {
	b := []byte("mine")
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u)^0x5a, byte(u>>8)^0x5a)
	}
	return strings.ToUpper(hex.EncodeToString(b))
}

func fakeUnprotect(b []byte) ([]byte, error) {
	if len(b) < 4 || string(b[:4]) != "mine" {
		return nil, errors.New("the data is not this user's")
	}
	out := slices.Clone(b[4:])
	for i := range out {
		out[i] ^= 0x5a
	}
	return out, nil
}

func store(t *testing.T, text string) *Store {
	t.Helper()
	s := In(t.TempDir(), fakeUnprotect)
	if err := os.MkdirAll(filepath.Dir(s.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFind(t *testing.T) {
	s := store(t, fmt.Sprintf("\xef\xbb\xbf"+`{
		"b": {"DisplayName": "work", "ProfileType": "AWS", "AWSAccessKey": %q, "AWSSecretKey": %q, "Region": "eu-west-1", "endpoint_url": "https://vpce.example",
			"cognito_client_id": "abc", "MfaSerial": "FFFF", "Other": 7},
		"a": {"DisplayName": "corporate", "ProfileType": "SAML", "EndpointName": "adfs", "RoleArn": "arn:aws:iam::1:role/x"},
		"c": {"NoName": "1"}}`, protect("AKIDEXAMPLE"), protect("schlüssel")))
	p, stamp, err := s.Find("work")
	if err != nil || p == nil || stamp.Absent || stamp.Path != s.Path {
		t.Fatal(p, stamp, err)
	}
	want := []Key{{"aws_access_key_id", "AKIDEXAMPLE"}, {"aws_secret_access_key", "schlüssel"}, {"cognito_client_id", "abc"}, {"endpoint_url", "https://vpce.example"}, {"region", "eu-west-1"}}
	if !slices.Equal(p.Keys, want) || p.SAMLEndpoint != "" {
		t.Errorf("%q", p)
	}
	if p, _, err := s.Find("corporate"); err != nil || p.SAMLEndpoint != "adfs" {
		t.Errorf("%v, %v", p, err)
	}
	if p, _, err := s.Find("Work"); err != nil || p == nil || p.Name != "work" {
		t.Errorf("%v, %v", p, err)
	}
	all, ours, err := s.Names()
	if !slices.Equal(all, []string{"corporate", "work"}) || !slices.Equal(ours, []string{"work"}) || err != nil {
		t.Errorf("%q %q %v", all, ours, err)
	}
}

func TestNoStore(t *testing.T) {
	for name, s := range map[string]*Store{"no file": In(t.TempDir(), fakeUnprotect), "empty": store(t, "\n"), "no profile": store(t, "{}")} {
		if p, _, err := s.Find("work"); p != nil || err != nil {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}

func TestErrorsNameTheFileAndNoValue(t *testing.T) {
	const begin = `{"a": {"DisplayName": "work", `
	for name, tt := range map[string]struct{ text, says string }{
		"no JSON":           {`{"a": `, "no JSON object"},
		"an array":          {`[]`, "no JSON object"},
		"another user's":    {begin + `"AWSSecretKey": "` + hex.EncodeToString([]byte("theirs-of-a-secret")) + `"}}`, "AWSSecretKey of profile work cannot be decrypted"},
		"no hexadecimal":    {begin + `"AWSSecretKey": "wJalrXUtnFEMI"}}`, "cannot be decrypted"},
		"odd UTF-16":        {begin + `"AWSSecretKey": "` + protect("ab")[:14] + `"}}`, "cannot be decrypted"},
		"a line break":      {begin + `"cognito_client_id": "abc\n[other]"}}`, "control character"},
		"twice":             {`{"a": {"DisplayName": "work"}, "b": {"DisplayName": "WORK"}}`, "twice"},
		"SAML, no endpoint": {begin + `"ProfileType": "SAML"}}`, "names no endpoint"},
		"too large":         {strings.Repeat(" ", sizeLimit+1), "larger"},
	} {
		s := store(t, tt.text)
		_, _, err := s.Find("work")
		var wrong *profiles.FileError
		if !errors.As(err, &wrong) || wrong.File != s.Path || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "wJalr") || strings.Contains(err.Error(), "theirs") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Property: whatever the file holds, reading ends with a profile of that name, without one, or with a *profiles.FileError.
func FuzzFind(f *testing.F) {
	f.Add(`{"a": {"DisplayName": "work", "AWSAccessKey": "` + protect("x") + `"}}`)
	f.Add(`{"a": null, "b": {"DisplayName": 1}}`)
	folder := f.TempDir()
	s := In(folder, fakeUnprotect)
	if err := os.MkdirAll(filepath.Dir(s.Path), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(s.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, _, err := s.Find("work")
		if err != nil && !errors.As(err, new(*profiles.FileError)) || p != nil && p.Name != "work" {
			t.Errorf("%v, %v", p, err)
		}
		_, _, _ = s.Names()
	})
}
