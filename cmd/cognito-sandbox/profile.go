package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
)

// ours is the first line of every profile file that this program wrote, and the only thing that lets it overwrite one.
const ours = "# written by cognito-sandbox; it will be overwritten\n"

// writeProfile replaces file, mode 0600, in one step. A file that somebody else wrote is left alone and is an error.
func writeProfile(file string, r sandbox.Ready) error {
	if err := mayReplace(file); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".cognito-sandbox-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(profileText(r))
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func mayReplace(file string) error {
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var old []byte
	if info.Mode().IsRegular() { // anything else is not ours, and a FIFO would make us wait
		if old, err = os.ReadFile(file); err != nil {
			return err
		}
	}
	if !bytes.HasPrefix(old, []byte(ours)) {
		return fmt.Errorf("%s exists and was not written by cognito-sandbox; name another file", file)
	}
	return nil
}

func profileText(r sandbox.Ready) string {
	var b strings.Builder
	b.WriteString(ours + "[profile sandbox]\n")
	for _, line := range [][2]string{
		{"region", r.Region},
		{"cognito_user_pool_id", r.UserPoolID},
		{"cognito_client_id", r.ClientID},
		{"cognito_client_secret", r.ClientSecret},
		{"cognito_identity_pool_id", r.IdentityPoolID},
		{"cognito_endpoint_url", r.Endpoint},
		{"cognito_identity_endpoint_url", r.Endpoint},
		{"cognito_sts_endpoint_url", r.Endpoint},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%s = %s\n", line[0], line[1])
		}
	}
	if r.IdentityPoolID != "" {
		// The AWS tools' own way to say where STS is, so that they need no option to find the sandbox.
		fmt.Fprintf(&b, "services = sandbox\n\n[services sandbox]\nsts =\n    endpoint_url = %s\n", r.Endpoint)
	}
	return b.String()
}
