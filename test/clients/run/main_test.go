package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	const events = `{"Action":"output","Test":"TestA","Output":"    x_test.go:1: NEEDS-NAMED git\n"}
{"Action":"pass","Test":"TestA"}
{"Action":"output","Test":"TestB","Output":"    x_test.go:1: NEEDS-NAMED docker\n"}
{"Action":"output","Test":"TestB/one","Output":"it broke\n"}
{"Action":"fail","Test":"TestB/one"}
{"Action":"fail","Test":"TestB"}
{"Action":"skip","Test":"TestC"}
{"Action":"fail"}
`
	var out bytes.Buffer
	failed, err := judge(strings.NewReader(events), &out)
	if err != nil || !reflect.DeepEqual(failed, []failure{{"TestB", "docker"}}) {
		t.Errorf("%v, %v", failed, err)
	}
	for _, want := range []string{"pass   TestA", "FAIL   TestB", "it broke", "skip   TestC"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in %s", want, out.String())
		}
	}
}

func TestRetries(t *testing.T) {
	file := filepath.Join(t.TempDir(), "required.txt")
	if err := os.WriteFile(file, []byte("git # a name\ndocker retry # may have a bad moment\nhelm  retry\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := retries(file)
	if err != nil || !reflect.DeepEqual(got, []string{"docker", "helm"}) {
		t.Errorf("%v, %v", got, err)
	}
}
