package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/all"
)

// forms has what a transcript shows of the oldest and of the newest form of each adapter's protocol.
var forms = map[string]struct{ oldest, newest string }{
	"credential-process": {`\{"Version":1,`, `\(,"AccountId":"\[0-9\]\{12\}"\)`},
	"token":              {`(?m)^cmp stdout access`, `--format token-json`},
	"git":                {`-- old --\nprotocol=https\nhost=git.example.com\n\n`, `-- bearer --\ncapability\[\]=authtype\ncapability\[\]=state\nauthtype=Bearer\ncredential=X\nephemeral=1\n`},
	"goauth":             {`(?m)^code 0 \$FRONT/cognito-credhelper goauth$`, `stdin refused\ncode 0 cognito-credhelper goauth https://`},
	"cargo":              {`(?m)^env CARGO_REGISTRY_INDEX_URL=sparse.*\ncode 0 .* cargo --profile sandbox$`, `"headers":\["Www-Authenticate: .*"args":\["cargo"`},
	"bazel":              {`"headers":\{"Authorization"`, `"expires":"20`},
	"keyring":            {`keyring get https://pypi.example.com/simple/ anybody\n`, `keyring --mode=creds --output=json get https://pypi.example.com/simple/ anybody\n`},
	"pnpm":               {`(?m)^code 0 \$FRONT/cognito-credhelper pnpm$`, `links/pnpm-token-cognito-sandbox\n`},
	"docker":             {`-- url --\nhttps://`, `docker list\n(?s:.*)docker version\n`},
	"terraform":          {`terraform get app.example.com`, `terraform store (?s:.*)terraform forget (?s:.*)"unknown":\{"kept":true\}`},
	"kubernetes":         {`client.authentication.k8s.io/v1beta1","kind":"ExecCredential"`, `client.authentication.k8s.io/v1","kind":"ExecCredential"`},
	"gcp":                {`"version":1,"success":true`, `"expiration_time":`},
}

// Each adapter says which is the oldest and which the newest form that it speaks, and the transcripts that it names show them.
func TestAdapterVersions(t *testing.T) {
	rows := table(t, "Versions")
	for _, adapter := range all.Adapters(nil) {
		cells, form := rows[adapter.Verb], forms[adapter.Verb]
		if len(cells) != 5 || form.oldest == "" {
			t.Errorf("%s has no row, or this test no pattern", adapter.Verb)
			continue
		}
		if !regexp.MustCompile(form.oldest).MatchString(script(t, cells[2])) {
			t.Errorf("%s: %s does not show %s", adapter.Verb, cells[2], cells[1])
		}
		if !regexp.MustCompile(form.newest).MatchString(script(t, cells[4])) {
			t.Errorf("%s: %s does not show %s", adapter.Verb, cells[4], cells[3])
		}
	}
}

// asked is how a transcript runs each adapter.
func asked(verb string) string {
	run := `(?:cognito-credhelper ` + verb + `\b|links/[a-z-]*` + verb + `[a-z-]*\b`
	if verb == "cargo" {
		run += `|cognito-credhelper --cargo-plugin`
	}
	return run + `)[^\n]*\n`
}

// cases has what a transcript shows of each case: RUN is a run of the adapter, CODE its exit code in that case, and IN what a
// transcript may do between. A protocol with a form for failures has an exit code of its own for them.
var cases = []string{
	`(?m)^code 0 RUN`,
	`(?m)^code 0 \$FRONT/RUN|ln -s \$FRONT/cognito-credhelper links/keyring\n(?s:.*)^code 0 links/keyring`,
	`# Not bound[^\n]*\nINcode \d (?:\$FRONT/)?RUN|stdin elsewhere\ncode \d (?:\$FRONT/)?RUN`,
	`logout --profile sandbox\nIN(?:\[!?windows\] )?(?:code|terminal) CODE3 (?:nobodyasks )?RUN`,
	`sandbox advance 7200\n(?:sandbox reset\n)?INcode 0 RUN(?s:.{0,400})sandbox requests GetTokensFromRefreshToken [12]\n`,
	`sandbox fault [^\n]*"GetTokensFromRefreshToken"[^\n]*\nINcode CODE5 RUN`,
	`# Malformed(?s:.{0,400}?)code (?:[126]|CODE1) (?s:.{0,400}?)(?:the request is refused|not expected here|no flag|cannot be read|is configured for apiVersion|must be one of)`,
}

// ownCodes are the exit codes of protocols that have a form for failures.
var ownCodes = map[string]map[string]string{
	"docker": {"3": "1", "5": "1", "1": "1"},
	"cargo":  {"3": "0", "5": "0", "1": "0"},
	"gcp":    {"3": "0", "5": "0"},
}

// Each adapter has its six cases, and its warm answer from the front alone, and the transcript that a cell names shows it.
func TestAdapterCases(t *testing.T) {
	rows := table(t, "Cases")
	for _, adapter := range all.Adapters(nil) {
		cells := rows[adapter.Verb]
		if len(cells) != len(cases)+1 {
			t.Errorf("%s has no row of %d cases", adapter.Verb, len(cases))
			continue
		}
		for i, pattern := range cases {
			if cells[i+1] == "no host" && i == 2 {
				continue
			}
			pattern = regexp.MustCompile(`CODE(\d)`).ReplaceAllStringFunc(pattern, func(code string) string {
				if own := ownCodes[adapter.Verb][code[4:]]; own != "" {
					return own
				}
				return code[4:]
			})
			pattern = strings.NewReplacer("RUN", asked(adapter.Verb), "IN", `(?:(?:stdin|\[!?windows\]|env|says|#)[^\n]*\n)*`).Replace(pattern)
			if !regexp.MustCompile(pattern).MatchString(script(t, cells[i+1])) {
				t.Errorf("%s: %s does not show case %d", adapter.Verb, cells[i+1], i+1)
			}
		}
	}
}

// hostile are the inputs that must be on the page: what the helpers of others were attacked with, and our own list.
var hostile = strings.Fields(`CVE-2020-5260 CVE-2020-11008 CVE-2024-52006 CVE-2024-50338 CVE-2025-23040 CVE-2024-50349 CVE-2024-53263 CVE-2024-53858 CVE-2024-53859
	CVE-2025-48386 CVE-2026-45803 CVE-2021-25743 CVE-2026-48501 CVE-2021-41092 CVE-2020-15157 CVE-2026-48978 CVE-2026-50151 CVE-2026-49349 GO-2026-6225 CVE-2025-27403
	CVE-2024-35192 GO-2026-5865 GO-2025-3383 CVE-2024-56327 CVE-2020-28086 CVE-2025-22868 CVE-2025-30204 CVE-2025-27144 CVE-2026-21852 CVE-2025-59536 CVE-2026-41506
	GO-2025-3751 GO-2026-6197 CVE-2026-44503 CVE-2024-5798 CVE-2026-40946 CVE-2026-55669 CVE-2020-28472 H23 H24 H25 H26`)

// Each hostile input has a row, and the tests and transcripts that a row names are there.
func TestAdapterHostileInput(t *testing.T) {
	tests := testFunctions(t)
	page := read(t, "..", "..", "docs", "adapters.md")
	for _, id := range hostile {
		named := false
		for line := range strings.Lines(page) {
			cells := strings.Split(line, " | ")
			if len(cells) != 3 || !regexp.MustCompile(regexp.QuoteMeta(id)+`\b`).MatchString(cells[1]) {
				continue
			}
			proofs := regexp.MustCompile(`\b(?:Test|Fuzz)\w+|\*\w+\*`).FindAllString(cells[2], -1)
			named = named || len(proofs) > 0
			for _, proof := range proofs {
				if name, isScript := strings.CutPrefix(proof, "*"); isScript {
					script(t, strings.TrimSuffix(name, "*"))
				} else if !tests[proof] {
					t.Errorf("%s: there is no %s", id, proof)
				}
			}
		}
		if !named {
			t.Errorf("docs/adapters.md names no test for %s", id)
		}
	}
}

// table is the rows below a heading of docs/adapters.md, by their first cell.
func table(t *testing.T, heading string) map[string][]string {
	t.Helper()
	_, rest, found := strings.Cut(read(t, "..", "..", "docs", "adapters.md"), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/adapters.md has no %s", heading)
	}
	section, _, _ := strings.Cut(rest, "\n## ")
	rows := map[string][]string{}
	for line := range strings.Lines(section) {
		if inner, isRow := strings.CutPrefix(strings.TrimSpace(line), "| "); isRow {
			cells := strings.Split(strings.TrimSuffix(inner, " |"), " | ")
			rows[cells[0]] = cells
		}
	}
	return rows
}

// script is the text of a transcript that a page names.
func script(t *testing.T, name string) string {
	t.Helper()
	return read(t, "testdata", "script", name+".txtar")
}

// testFunctions are the tests of the module.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			if d != nil && d.IsDir() && d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
