package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// newest is the Debian release with the newest programs that are there for good.
const newest = "forky"

// oldestGo is the first with GOAUTH.
const (
	oldestGo   = "go1.24.0"
	newestGo   = "go1.27.4"
	newestTofu = "v1.12.6"
)

// lists fetches the lists of packages of another Debian release into the folder apt, and gives the environment in which
// apt-get uses those. kind is "deb" or "deb-src".
func lists(ctx context.Context, into, kind, release string) ([]string, error) {
	mirror, key, err := mirror()
	if err != nil {
		return nil, err
	}
	at := func(name string) string { return filepath.Join(into, "apt", name) }
	for _, folder := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(at(folder), 0o755); err != nil {
			return nil, err
		}
	}
	// What this machine has installed is of no account, or apt would choose among its versions, too.
	files := map[string]string{
		"status":       "",
		"sources.list": fmt.Sprintf("%s [signed-by=%s] %s %s main\n", kind, key, mirror, release),
		"apt.conf": fmt.Sprintf("Dir::Etc::sourcelist %q;\nDir::Etc::sourceparts \"-\";\nDir::State::lists %q;\nDir::State::status %q;\nDir::Cache %q;\nAPT::Sandbox::User \"\";\n",
			at("sources.list"), at("lists"), at("status"), at("cache")),
	}
	for name, text := range files {
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	apt := []string{"APT_CONFIG=" + at("apt.conf")}
	_, err = command(ctx, into, apt, "apt-get", "update", "-q")
	return apt, err
}

// unpack downloads packages and takes them apart, without installing them.
func unpack(ctx context.Context, into string, env []string, packages ...string) error {
	if _, err := command(ctx, into, env, "apt-get", append([]string{"download", "-q"}, packages...)...); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(into, "*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range found {
		if _, err := command(ctx, into, nil, "dpkg", "-x", deb, into); err != nil {
			return err
		}
		if err := os.Remove(deb); err != nil {
			return err
		}
	}
	return os.RemoveAll(filepath.Join(into, "apt"))
}

// foreign takes a program of another Debian release, which runs with that release's C library, from where it was unpacked.
func foreign(name, release, program string, version []string, packages ...string) recipe {
	make := func(ctx context.Context, into string) (string, error) {
		apt, err := lists(ctx, into, "deb", release)
		if err != nil {
			return "", err
		}
		if err := unpack(ctx, into, apt, append(packages, "libc6", "libgcc-s1")...); err != nil {
			return "", err
		}
		loader, err := loaderIn(into)
		if err != nil {
			return "", err
		}
		script := filepath.Join(into, name)
		text := fmt.Sprintf("#!/bin/sh\nexec %q --library-path %q %q \"$@\"\n", loader, filepath.Dir(loader), filepath.Join(into, program))
		return script, os.WriteFile(script, []byte(text), 0o755)
	}
	return recipe{name, "debian " + release + " " + strings.Join(packages, " "), make, version}
}

// loaderIn is what starts a program with the C library that was unpacked.
func loaderIn(into string) (string, error) {
	loaders, err := filepath.Glob(filepath.Join(into, "usr/lib/*-linux-*/ld-linux-*.so.*"))
	if err != nil || len(loaders) == 0 {
		return "", fmt.Errorf("the C library has no loader (%v)", err)
	}
	return loaders[0], nil
}

// pip takes Debian's package of pip, which any Python runs; of this machine's own release where none is named.
func pip(name, release string) recipe {
	make := func(ctx context.Context, into string) (string, error) {
		var apt []string
		if release != "" {
			var err error
			if apt, err = lists(ctx, into, "deb", release); err != nil {
				return "", err
			}
		}
		if err := unpack(ctx, into, apt, "python3-pip"); err != nil {
			return "", err
		}
		script := filepath.Join(into, name)
		text := fmt.Sprintf("#!/bin/sh\nPYTHONPATH=%q exec python3 -m pip \"$@\"\n", filepath.Join(into, "usr/lib/python3/dist-packages"))
		return script, os.WriteFile(script, []byte(text), 0o755)
	}
	return recipe{name, "debian " + release + " python3-pip", make, []string{"--version"}}
}

// toolchain has the go command fetch another version of itself, as it does for a go.mod that asks for it.
func toolchain(name, version string) recipe {
	make := func(ctx context.Context, into string) (string, error) {
		env := []string{"GOTOOLCHAIN=" + version, "GOMODCACHE=" + filepath.Join(into, "mod"), "GOFLAGS=-modcacherw"}
		if _, err := command(ctx, into, env, "go", "version"); err != nil {
			return "", err
		}
		found, err := filepath.Glob(filepath.Join(into, "mod", "golang.org", "toolchain@*", "bin", "go"))
		if err != nil || len(found) != 1 {
			return "", fmt.Errorf("there is no toolchain in %s (%v)", into, err)
		}
		// What was downloaded is unpacked; the archive is as large again.
		return found[0], os.RemoveAll(filepath.Join(into, "mod", "cache"))
	}
	return recipe{name, "go " + version, make, []string{"version"}}
}

// built builds a command within its own module, whose go.mod replaces modules, which only that of a main module may.
func built(name, module, version, pkg, flags string, says []string) recipe {
	make := func(ctx context.Context, into string) (string, error) {
		out, err := command(ctx, into, nil, "go", "mod", "download", "-json", module+"@"+version)
		if err != nil {
			return "", err
		}
		var downloaded struct{ Dir string }
		if err := json.Unmarshal([]byte(out), &downloaded); err != nil {
			return "", err
		}
		program := filepath.Join(into, name)
		_, err = command(ctx, downloaded.Dir, []string{"CGO_ENABLED=0", "GOWORK=off"}, "go", "build", "-trimpath", "-ldflags=-s -w "+flags, "-o", program, pkg)
		return program, err
	}
	return recipe{name, "go " + module + "@" + version + " " + flags, make, says}
}

// npmPlatform is this machine in the names of packages that carry a program.
func npmPlatform() string {
	return runtime.GOOS + "-" + map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
}

// npm installs what tools/versions pins: versions of a program beside the one that people have today.
func npm(name, program string) recipe {
	folder := filepath.Join(tools(), "versions")
	make := func(ctx context.Context, into string) (string, error) {
		if err := install(ctx, folder, into); err != nil {
			return "", err
		}
		path := filepath.Join(into, program)
		return path, os.Chmod(path, 0o755)
	}
	text, _ := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	return recipe{name, "npm " + string(text), make, []string{"--version"}}
}

// install installs what a folder's package-lock.json pins. Install scripts of packages never run.
func install(ctx context.Context, folder, into string) error {
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(into, name), text, 0o644); err != nil {
			return err
		}
	}
	_, err := command(ctx, into, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	return err
}
