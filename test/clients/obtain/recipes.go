package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// newer is the Debian release whose git is new enough to give a helper its second chance (2.46); its binary package would
// need that release's C library, so the source is built here.
const newer = "trixie"

func recipes() []recipe {
	return []recipe{
		{"git-newer", "debian source " + newer + " 2", newerGit, []string{"--version"}},
		unpacked("git-lfs", "usr/bin/git-lfs", []string{"version"}, "git-lfs"),
		unpacked("skopeo", "usr/bin/skopeo", []string{"--version"}, "skopeo", "libassuan0", "libdevmapper1.02.1", "libgpg-error0", "libgpgme11"),
		module("crane", "github.com/google/go-containerregistry/cmd/crane", []string{"version"}),
		module("oras", "oras.land/oras/cmd/oras", []string{"version"}),
		module("helm", "helm.sh/helm/v3/cmd/helm", []string{"version", "--short"}),
		{"pnpm", "npm 2 " + lock(), pnpm, []string{"--version"}},
		awsCLI2(),
		newestAWSCLI2(),
		{"bazel", "debian " + newest + " bazel-bootstrap", bazel, []string{"--version"}},
		built("tofu", "github.com/opentofu/opentofu", newestTofu, "./cmd/tofu", "-X github.com/opentofu/opentofu/version.dev=no", []string{"version"}),
		toolchain("go-oldest", oldestGo),
		toolchain("go-newest", newestGo),
		npm("pnpm-oldest", "node_modules/pnpm-oldest/bin/pnpm.cjs"),
		npm("pnpm-newest", "node_modules/@pnpm/exe."+npmPlatform()+"/pnpm"),
		pip("pip-oldest", ""),
		pip("pip-newest", newest),
		unpacked("kubectl-oldest", "usr/bin/kubectl", []string{"version", "--client"}, "kubernetes-client"),
		foreign("kubectl-newest", newest, "usr/bin/kubectl", []string{"version", "--client"}, "kubectl"),
		unpacked("docker-oldest", "usr/bin/docker", []string{"--version"}, "docker.io"),
		foreign("docker-newest", newest, "usr/bin/docker", []string{"--version"}, "docker-cli"),
		foreign("cargo-oldest", newer, "usr/bin/cargo", []string{"--version"}, "cargo", "libgit2-1.9", "libssl3t64", "libhttp-parser2.9", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7"),
		unpacked("cargo-newest", "usr/bin/cargo", []string{"--version"}, "cargo-web", "libgit2-1.5", "libhttp-parser2.9", "libmbedcrypto7", "libmbedtls14", "libmbedx509-1"),
	}
}

// tools is the folder with the go.mod and the package.json that pin what is built from them.
func tools() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "tools")
}

func lock() string {
	text, _ := os.ReadFile(filepath.Join(tools(), "package-lock.json"))
	return string(text)
}

func sums() string {
	text, _ := os.ReadFile(filepath.Join(tools(), "go.mod"))
	return string(text)
}

// module builds a command of a Go module that tools/go.mod pins.
func module(name, path string, version []string) recipe {
	build := func(ctx context.Context, into string) (string, error) {
		program := filepath.Join(into, name)
		_, err := command(ctx, tools(), []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, path)
		return program, err
	}
	return recipe{name, "go " + path + " " + sums(), build, version}
}

// unpacked takes Debian packages of this machine's own release apart, without installing them.
func unpacked(name, program string, version []string, packages ...string) recipe {
	make := func(ctx context.Context, into string) (string, error) {
		if err := unpack(ctx, into, nil, packages...); err != nil {
			return "", err
		}
		return wrapper(into, name, filepath.Join(into, program))
	}
	return recipe{name, "debian " + program + " " + strings.Join(packages, " "), make, version}
}

// wrapper is a script that finds the libraries which were unpacked beside a program.
func wrapper(into, name, program string) (string, error) {
	libraries, err := filepath.Glob(filepath.Join(into, "usr/lib/*-linux-*"))
	if err != nil {
		return "", err
	}
	if more, err := filepath.Glob(filepath.Join(into, "lib/*-linux-*")); err == nil {
		libraries = append(libraries, more...)
	}
	if len(libraries) == 0 {
		return program, nil
	}
	script := filepath.Join(into, name)
	text := fmt.Sprintf("#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q \"$@\"\n", strings.Join(libraries, ":"), program)
	return script, os.WriteFile(script, []byte(text), 0o755)
}

// newerGit builds git from the source package of a newer Debian release.
func newerGit(ctx context.Context, into string) (string, error) {
	apt, err := lists(ctx, into, "deb-src", newer)
	if err != nil {
		return "", err
	}
	if _, err := command(ctx, into, apt, "apt-get", "source", "--download-only", "-q", "git"); err != nil {
		return "", err
	}
	archives, err := filepath.Glob(filepath.Join(into, "git_*.orig.tar.*"))
	if err != nil || len(archives) == 0 {
		return "", fmt.Errorf("the source package has no archive (%v)", err)
	}
	source := filepath.Join(into, "source")
	if err := os.Mkdir(source, 0o755); err != nil {
		return "", err
	}
	if _, err := command(ctx, into, nil, "tar", "-xf", archives[0], "-C", source, "--strip-components=1"); err != nil {
		return "", err
	}
	prefix := filepath.Join(into, "root")
	_, err = command(ctx, source, nil, "make", "-s", "-j"+strconv.Itoa(runtime.NumCPU()), "prefix="+prefix, "CFLAGS=-O1", "INSTALL_SYMLINKS=1",
		"NO_GETTEXT=1", "NO_TCLTK=1", "NO_PERL=1", "NO_PYTHON=1", "NO_EXPAT=1", "install")
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.RemoveAll(source), os.RemoveAll(filepath.Join(into, "apt"))); err != nil {
		return "", err
	}
	// git takes what follows "git-" in its own name for a command, so that a link named git-newer would be none.
	script := filepath.Join(into, "git-newer")
	return script, os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\nexec %q \"$@\"\n", filepath.Join(prefix, "bin", "git")), 0o755)
}

// mirror finds the Debian mirror that this machine uses, and the key that signs it.
func mirror() (url, key string, err error) {
	lists, _ := filepath.Glob("/etc/apt/sources.list.d/*")
	for _, list := range append([]string{"/etc/apt/sources.list"}, lists...) {
		text, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if url := debianURL(line); url != "" {
				return url, "/usr/share/keyrings/debian-archive-keyring.gpg", nil
			}
		}
	}
	return "", "", fmt.Errorf("this machine has no Debian mirror")
}

// debianURL takes the address out of a line of either format, where it is one of Debian's own archive.
func debianURL(line string) string {
	for _, word := range strings.Fields(line) {
		if strings.Contains(word, "://") && strings.HasSuffix(strings.TrimSuffix(word, "/"), "/debian") {
			return word
		}
	}
	return ""
}

// pnpm installs from npm what tools/package-lock.json pins.
func pnpm(ctx context.Context, into string) (string, error) {
	if err := install(ctx, tools(), into); err != nil {
		return "", err
	}
	// The AWS SDK for JavaScript is no program; tests link this folder to where node looks for modules.
	modules := filepath.Join(into, "node_modules")
	return filepath.Join(modules, ".bin", "pnpm"), relink(modules, filepath.Join(filepath.Dir(into), "pnpm-modules"))
}
