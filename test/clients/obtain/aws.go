package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// awsCLI2 is Debian's AWS CLI, which is version 2, with all that it imports: what is called aws on PATH may be version 1.
func awsCLI2() recipe {
	libraries := []string{
		"awscli", "python3-awscrt", "python3-cffi-backend", "python3-colorama", "python3-cryptography", "python3-dateutil", "python3-distro", "python3-docutils",
		"python3-jmespath", "python3-prompt-toolkit", "python3-pyasn1", "python3-roman", "python3-ruamel.yaml", "python3-ruamel.yaml.clib", "python3-six",
		"python3-urllib3", "python3-wcwidth",
	}
	aws := unpacked("aws2", "usr/bin/aws", []string{"--version"}, libraries...)
	unpack := aws.make
	aws.make = func(ctx context.Context, into string) (string, error) {
		if _, err := unpack(ctx, into); err != nil {
			return "", err
		}
		script := filepath.Join(into, "aws2")
		modules := filepath.Join(into, "usr/lib/python3/dist-packages")
		// -S: what is installed on this machine takes no part.
		text := fmt.Sprintf("#!/bin/sh\nPYTHONPATH=%q exec /usr/bin/python3 -S %q \"$@\"\n", modules, filepath.Join(into, "usr/bin/aws"))
		return script, os.WriteFile(script, []byte(text), 0o755)
	}
	return aws
}
