// Package netsdk reads the encrypted profile store of the AWS SDK for .NET, which AWS Tools for PowerShell search first on
// Windows.
//
// It guarantees that no store file can make it hang, use much memory, or run anything, and that no error has a decrypted
// value in it. It never writes the store and never uses the network. Only Windows has such a store: elsewhere there is none.
//
// Sources: the file RegisteredAccounts.json as aws-sdk-net writes it: one object of profiles by a GUID, whose secret members
// are UTF-16 text under the user's DPAPI key, in hexadecimal.
package netsdk

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const sizeLimit = 1 << 20

// Store is the store of one user. Safe for concurrent use.
type Store struct {
	// Path is the file RegisteredAccounts.json.
	Path string
	// Unprotect decrypts what the user's DPAPI key protects.
	Unprotect func([]byte) ([]byte, error)
}

// In is the store below the folder that LOCALAPPDATA names.
func In(localAppData string, unprotect func([]byte) ([]byte, error)) *Store {
	return &Store{filepath.Join(localAppData, "AWSToolkit", "RegisteredAccounts.json"), unprotect}
}

// Profile is one profile of the store, with the names that the ini files have for its keys. Secrets are decrypted.
type Profile struct {
	Name string
	Keys []Key
	// SAMLEndpoint is set for a SAML role profile.
	SAMLEndpoint string
}

// Key is one key and its value.
type Key struct{ Name, Value string }

// encrypted are the members that the SDK encrypts and that we read; the others that it encrypts are passed over.
var encrypted = map[string]string{
	"AWSAccessKey": "aws_access_key_id",
	"AWSSecretKey": "aws_secret_access_key",
	"SessionToken": "aws_session_token",
}

// plain are members under other names than in the ini files.
var plain = map[string]string{"Region": "region", "endpoint_url": "endpoint_url"}

// ownPrefix begins our keys, which stand in the store as in the ini files.
const ownPrefix = "cognito_"

// read gives the file, and its state, also that it is not there.
func (s *Store) read() ([]byte, profiles.FileStamp, error) {
	stamp := profiles.FileStamp{Path: s.Path, Absent: true}
	info, err := os.Stat(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, stamp, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		return nil, stamp, s.wrong("this is no regular file")
	}
	file, err := os.Open(s.Path)
	if err != nil {
		return nil, stamp, s.wrong("the file cannot be read")
	}
	defer file.Close()
	// Before the content, so that a change in between makes the stamp wrong and not the content.
	if stamp, err = profiles.StampFile(s.Path, file); err != nil {
		return nil, stamp, s.wrong("the file cannot be read")
	}
	data, err := io.ReadAll(io.LimitReader(file, sizeLimit+1))
	switch {
	case err != nil:
		return nil, stamp, s.wrong("the file cannot be read")
	case len(data) > sizeLimit:
		return nil, stamp, s.wrong("the file is larger than 1 MiB")
	}
	return data, stamp, nil
}

// accounts are the profiles of the file, still encrypted, in the order of their GUIDs.
func (s *Store) accounts() ([]map[string]any, profiles.FileStamp, error) {
	data, stamp, err := s.read()
	if err != nil || stamp.Absent {
		return nil, stamp, err
	}
	text := strings.TrimPrefix(string(data), "\xef\xbb\xbf")
	if strings.TrimSpace(text) == "" {
		return nil, stamp, nil
	}
	var all map[string]map[string]any
	if json.Unmarshal([]byte(text), &all) != nil {
		return nil, stamp, s.wrong("the file is no JSON object of profiles")
	}
	ids := make([]string, 0, len(all))
	for id := range all {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var accounts []map[string]any
	for _, id := range ids {
		if name, _ := all[id]["DisplayName"].(string); name != "" {
			accounts = append(accounts, all[id])
		}
	}
	return accounts, stamp, nil
}

// Find returns the profile of that name, in upper or lower case; nil when there is none. The stamp says what the answer depends on. Errors are
// *profiles.FileError.
func (s *Store) Find(name string) (*Profile, profiles.FileStamp, error) {
	accounts, stamp, err := s.accounts()
	if err != nil {
		return nil, stamp, err
	}
	var found *Profile
	for _, a := range accounts {
		if !strings.EqualFold(a["DisplayName"].(string), name) { // as the SDK compares them
			continue
		}
		if found != nil {
			return nil, stamp, s.wrong("the profile " + name + " stands there twice")
		}
		if found, err = s.decrypted(a); err != nil {
			return nil, stamp, err
		}
	}
	return found, stamp, nil
}

// Names lists the profiles, sorted, and which of them have a cognito_ key. Nothing is decrypted.
func (s *Store) Names() (all, ours []string, err error) {
	accounts, _, err := s.accounts()
	for _, a := range accounts {
		name := a["DisplayName"].(string)
		all = append(all, name)
		for member := range a {
			if strings.HasPrefix(member, ownPrefix) {
				ours = append(ours, name)
				break
			}
		}
	}
	slices.Sort(all)
	slices.Sort(ours)
	return slices.Compact(all), slices.Compact(ours), err
}

// decrypted gives a profile's keys, sorted.
func (s *Store) decrypted(account map[string]any) (*Profile, error) {
	p := &Profile{Name: account["DisplayName"].(string)}
	for member, raw := range account {
		value, isText := raw.(string)
		if !isText || value == "" {
			continue
		}
		name := plain[member]
		if strings.HasPrefix(member, ownPrefix) {
			name = member
		}
		if secret := encrypted[member]; secret != "" {
			text, err := s.decrypt(value)
			if err != nil {
				return nil, s.wrong(member + " of profile " + p.Name + " cannot be decrypted: it was written by another user, on another computer, or is damaged")
			}
			name, value = secret, text
		}
		if name == "" {
			continue
		}
		if strings.ContainsFunc(value, unicode.IsControl) || !utf8.ValidString(value) || value != strings.TrimSpace(value) {
			return nil, s.wrong(name + " of profile " + p.Name + " has a control character, or blanks around it")
		}
		p.Keys = append(p.Keys, Key{name, value})
	}
	slices.SortFunc(p.Keys, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	if kind, _ := account["ProfileType"].(string); kind == "SAML" {
		p.SAMLEndpoint, _ = account["EndpointName"].(string)
		if p.SAMLEndpoint == "" {
			return nil, s.wrong("the SAML role profile " + p.Name + " names no endpoint")
		}
	}
	return p, nil
}

func (s *Store) decrypt(digits string) (string, error) {
	sealed, err := hex.DecodeString(digits)
	if err != nil {
		return "", err
	}
	text, err := s.Unprotect(sealed)
	if err != nil {
		return "", err
	}
	defer clear(text)
	if len(text)%2 != 0 {
		return "", errors.New("this is no UTF-16")
	}
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = uint16(text[2*i]) | uint16(text[2*i+1])<<8
	}
	return strings.TrimRight(string(utf16.Decode(units)), "\x00"), nil
}

func (s *Store) wrong(problem string) error {
	return &profiles.FileError{File: s.Path, Problem: problem, Next: "Get-AWSCredential -ListProfileDetail (in PowerShell), or --profile-location FILE"}
}
