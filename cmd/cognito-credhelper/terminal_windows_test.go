package main_test

import "github.com/rogpeppe/go-internal/testscript"

func terminal(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("no transcript has a terminal on Windows: begin it with [!unix] skip")
}
