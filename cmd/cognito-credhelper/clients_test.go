package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// buildClients builds the programs of modules of their own that act as AWS and Google programs, and gives the real clients of
// this machine, of which there may be several under one name, names by which transcripts tell them apart: aws1, aws2,
// python-botocore, python-boto3. What is not here is skipped by name where it is needed.
func buildClients(tools string) error {
	for _, name := range []string{"awssdk", "gcpsdk"} {
		build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", filepath.Join(tools, name), ".")
		build.Dir = filepath.Join("..", "..", "test", name)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	for _, path := range onPath("aws") {
		out, _ := exec.Command(path, "--version").CombinedOutput()
		for _, major := range []string{"1", "2"} {
			if strings.HasPrefix(string(out), "aws-cli/"+major+".") {
				if err := standFor(tools, "aws"+major, path); err != nil {
					return err
				}
			}
		}
	}
	for _, path := range onPath("python3") {
		for _, library := range []string{"botocore", "boto3"} {
			if exec.Command(path, "-c", "import "+library).Run() == nil {
				if err := standFor(tools, "python-"+library, path); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// onPath finds every program of a name, in the order of PATH.
func onPath(name string) (found []string) {
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(folder, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			found = append(found, path)
		}
	}
	return found
}

// standFor makes a script that runs a program; the first of a name stays. A link would not do: some programs go by their name.
func standFor(tools, name string, command ...string) error {
	script := filepath.Join(tools, name)
	if exists(script) {
		return nil
	}
	text := "#!/bin/sh\nexec"
	for _, word := range command {
		text += " '" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return os.WriteFile(script, []byte(text+" \"$@\"\n"), 0o755)
}
