package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// bazelNeeds are those of the packages which Debian's Bazel depends on that fetching a file needs: Java and its libraries,
// the C library and what the client itself is linked with, and no compilers.
var bazelNeeds = regexp.MustCompile(`-java$|-jni\d*$|-jre-headless$|^bazel-|^(junit4|velocity)$|^lib(c6|gcc-s1|stdc\+\+6|nss3|nspr4|zstd1|cares2|ssl3.*|grpc.*|proto.*|absl.*|re2.*)$|^zlib1g$`)

// bazel is of the newest Debian release, which lies over this machine's files in a mount namespace of its own: its server is
// a Java program that looks for a hundred others below /usr. That takes root, and nothing is seen of it outside.
func bazel(ctx context.Context, into string) (string, error) {
	if os.Geteuid() != 0 {
		return "", errors.New("laying another Debian's files over this machine's needs root")
	}
	apt, err := lists(ctx, into, "deb", newest)
	if err != nil {
		return "", err
	}
	plan, err := command(ctx, into, apt, "apt-get", "install", "-s", "-y", "--no-install-recommends", "bazel-bootstrap")
	if err != nil {
		return "", err
	}
	var packages []string
	for line := range strings.Lines(plan) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "Inst" && bazelNeeds.MatchString(words[1]) {
			packages = append(packages, words[1])
		}
	}
	if err := unpack(ctx, into, apt, packages...); err != nil {
		return "", err
	}
	if err := appendInstallation(filepath.Join(into, "usr/bin/bazel"), filepath.Join(into, "usr/share/bazel")); err != nil {
		return "", err
	}
	java, err := filepath.Glob(filepath.Join(into, "usr/lib/jvm/java-*-openjdk-*", "bin", "java"))
	if err != nil || len(java) == 0 {
		return "", fmt.Errorf("there is no Java (%v)", err)
	}
	home := strings.TrimPrefix(filepath.Dir(filepath.Dir(java[0])), into)
	script := filepath.Join(into, "bazel")
	text := fmt.Sprintf(`#!/bin/sh
exec unshare -m sh -c 'mount -t overlay overlay -o lowerdir=%[1]s/usr:/usr /usr &&
	mount -t overlay overlay -o lowerdir=%[1]s/etc:/etc /etc && exec bazel --batch --server_javabase=%[2]s "$@"' sh "$@"
`, into, home)
	return script, os.WriteFile(script, []byte(text), 0o755)
}

// appendInstallation puts an archive of Bazel's own files behind its client, where the client looks for them. Debian's has
// lost it.
func appendInstallation(client, folder string) error {
	out, err := os.OpenFile(client, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	archive := zip.NewWriter(out)
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(path)
		if err != nil || info.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(info.Mode())
		w, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		_, err = io.Copy(w, in)
		return err
	})
	return errors.Join(err, archive.Close(), out.Close())
}
