package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox"
	"github.com/cognito-credhelper/cognito-credhelper/test/skips"
)

func TestJudge(t *testing.T) {
	expected := map[string]int{"a": 50, "b": 12}
	for _, c := range []struct {
		name  string
		lines string
		want  string // part of the error; "" for none
	}{
		{"all good", `{"case":"a","good":50,"of":50}` + "\n" + `{"case":"b","good":12,"of":12}`, ""},
		{"one sign-in failed", `{"case":"a","good":49,"of":50,"faults":["E: m"]}` + "\n" + `{"case":"b","good":12,"of":12}`, "cases: a"},
		{"a case did not run", `{"case":"a","good":50,"of":50}`, "b (did not run)"},
		{"fewer than planned", `{"case":"a","good":5,"of":5}` + "\n" + `{"case":"b","good":12,"of":12}`, "cases: a"},
		{"nobody asked for it", `{"case":"a","good":50,"of":50}` + "\n" + `{"case":"b","good":12,"of":12}` + "\n" + `{"case":"c","good":1,"of":1}`, "cases: c"},
		{"a case without a sign-in", `{"case":"a","good":0,"of":0}`, "cases: a"},
		{"no JSON", "hello", "not an outcome"},
		{"nothing", "", "a (did not run), b (did not run)"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			var out strings.Builder
			err := judge(strings.NewReader(c.lines), expected, &out)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("judge gave %v, want %q", err, c.want)
			}
			if strings.Contains(c.lines, "E: m") && !strings.Contains(out.String(), "E: m") {
				t.Errorf("the fault was not shown: %q", out.String())
			}
		})
	}
}

// TestPlanMeansWhatItSays: a wrong password that is right, or a case that only one client runs by mistake, proves nothing.
func TestPlanMeansWhatItSays(t *testing.T) {
	right := []string{alice.Password, bob.Password, zoe.Password, sam.Password, tom.Password, eve.Password, pat.Password}
	p := plan{Cases: cases(50)}
	for _, c := range p.Cases {
		for _, name := range c.Clients {
			if !slices.Contains(clients, name) {
				t.Errorf("%s: no client %q", c.Name, name)
			}
		}
		if len(c.Clients) == 0 || !slices.Contains(poolNames, c.Pool) || c.Kind == "" {
			t.Errorf("%s: clients %v, pool %q, kind %q", c.Name, c.Clients, c.Pool, c.Kind)
		}
		if len(c.Wrong) > 0 == (c.Password != "") {
			t.Errorf("%s: has both or neither of right and wrong passwords", c.Name)
		}
		for _, w := range c.Wrong {
			if slices.Contains(right, w) {
				t.Errorf("%s: %q is somebody's right password", c.Name, w)
			}
		}
		if c.Wrong != nil && len(c.Wrong) < 10 {
			t.Errorf("%s: only %d wrong passwords", c.Name, len(c.Wrong))
		}
	}
	amplify, older, helper := p.expected("aws-amplify"), p.expected("amazon-cognito-identity-js"), p.expected("cognito-srp-helper")
	for _, want := range []map[string]int{amplify, older, helper} {
		if want["password"] != 50 || want["unknown user refused"] < 10 {
			t.Errorf("expected = %v", want)
		}
	}
	if helper["client secret"] != 50 || amplify["client secret"] != 0 {
		t.Error("only one client knows secrets")
	}
	for _, name := range []string{"custom auth", "SMS code", "MFA set-up", "remembered device"} {
		if amplify[name] != few || older[name] != few {
			t.Errorf("%s: %d and %d times", name, amplify[name], older[name])
		}
	}
}

// TestConfigurations: the sandbox takes them, so that a change of its form is seen without node.
func TestConfigurations(t *testing.T) {
	for _, name := range poolNames {
		text, err := json.Marshal(config(name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := sandbox.ParseConfig(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s, err := sandbox.New(c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s.Close()
	}
}

func TestReadyLine(t *testing.T) {
	got, err := parseReady([]byte(`{"endpoint":"http://127.0.0.1:1","user_pool_id":"p_1","more":[]}` + "\n"))
	if want := (pool{"http://127.0.0.1:1", "p_1"}); err != nil || got != want {
		t.Errorf("parseReady = %v, %v", got, err)
	}
	for _, line := range []string{"", "listening\n", "{}\n", `{"endpoint":"http://127.0.0.1:1"}` + "\n"} {
		if _, err := parseReady([]byte(line)); err == nil {
			t.Errorf("%q was taken for a ready line", line)
		}
	}
}

// TestSandboxThatDoesNotStart takes a program that ends at once, with a word on standard error.
func TestSandboxThatDoesNotStart(t *testing.T) {
	program, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = serve(t.Context(), program, "x.json")
	if err == nil || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("serve gave %v, want what the program said", err)
	}
}

func TestSkipIsNamed(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report")
	for _, ci := range []string{"", "true"} {
		t.Setenv("CI", ci)
		var out bytes.Buffer
		err := skip([]string{"aws-amplify"}, "no node on PATH", report, &out)
		if (err != nil) != (ci == "true") {
			t.Errorf("CI=%q: %v", ci, err)
		}
		if !strings.Contains(out.String(), "SKIP-NAMED aws-amplify: no node on PATH") {
			t.Errorf("printed %q", out.String())
		}
	}
	r, err := skips.Read(report)
	if err != nil || len(r.Skipped["aws-amplify"]) != 1 {
		t.Errorf("report = %v, %v", r, err)
	}
	t.Setenv("PATH", t.TempDir())
	if got := missingPrograms("node", "npm"); got != "no node on PATH, no npm on PATH" {
		t.Errorf("missing = %q", got)
	}
}

func TestUnknownClient(t *testing.T) {
	if err := run(t.Context(), []string{"boto"}, 1, "", &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), `no client "boto"`) {
		t.Errorf("run gave %v", err)
	}
}
