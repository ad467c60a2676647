package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

// newestAWSCLI2 is that of the newest Debian release, with its Python and its C library.
func newestAWSCLI2() recipe {
	libraries := []string{
		"awscli", "python3-awscrt", "python3-colorama", "python3-dateutil", "python3-distro", "python3-docutils", "python3-jmespath", "python3-prompt-toolkit",
		"python3-pyasn1", "python3-roman-numerals", "python3-ruamel.yaml", "python3-six", "python3-urllib3", "python3-wcwidth",
		"libbz2-1.0", "libc6", "libexpat1", "libffi8", "libgcc-s1", "liblzma5", "libsqlite3-0", "libssl3t64", "libuuid1", "libzstd1", "zlib1g",
	}
	make := func(ctx context.Context, into string) (string, error) {
		apt, err := lists(ctx, into, "deb", newest)
		if err != nil {
			return "", err
		}
		depends, err := command(ctx, into, apt, "apt-cache", "depends", "python3-minimal")
		if err != nil {
			return "", err
		}
		python := regexp.MustCompile(`python3\.[0-9]+`).FindString(depends)
		if err := unpack(ctx, into, apt, append(libraries, python+"-minimal", "lib"+python+"-minimal", "lib"+python+"-stdlib")...); err != nil {
			return "", err
		}
		loader, err := loaderIn(into)
		if err != nil {
			return "", err
		}
		usr := filepath.Join(into, "usr")
		script := filepath.Join(into, "aws2-newest")
		text := fmt.Sprintf("#!/bin/sh\nPYTHONHOME=%q PYTHONPATH=%q exec %q --library-path %q %q -S %q \"$@\"\n",
			usr, filepath.Join(usr, "lib/python3/dist-packages"), loader, filepath.Dir(loader), filepath.Join(usr, "bin", python), filepath.Join(usr, "bin/aws"))
		return script, os.WriteFile(script, []byte(text), 0o755)
	}
	return recipe{"aws2-newest", "debian " + newest + " " + strings.Join(libraries, " "), make, []string{"--version"}}
}
