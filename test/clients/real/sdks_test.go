package real

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

// behind lets the session's own role take another one.
const behind = `{"roles": [
	{"arn": "arn:aws:iam::123456789012:role/SandboxAuthenticated"},
	{"arn": "arn:aws:iam::123456789012:role/Behind", "audiences": [], "principals": ["arn:aws:iam::123456789012:role/SandboxAuthenticated"]}
]}`

// sdk is a program that asks STS who it is, with whatever credentials it finds, and prints the answer's ARN.
type sdk struct {
	name string
	// command makes it; the test is skipped by name where it is not here.
	command func(t *testing.T, s *stage.Stage) []string
	// old knows no file with the endpoint's token.
	old bool
}

func sdks() []sdk {
	identity := []string{"sts", "get-caller-identity", "--output", "text", "--query", "Arn"}
	return []sdk{
		{name: "aws", command: func(t *testing.T, _ *stage.Stage) []string {
			return append([]string{need(t, "aws", "aws", "--version")}, identity...)
		}},
		{name: "aws2", old: true, command: func(t *testing.T, _ *stage.Stage) []string {
			return append([]string{need(t, "aws2", "aws2", "--version")}, identity...)
		}},
		{name: "aws2-newest", command: func(t *testing.T, _ *stage.Stage) []string {
			return append([]string{need(t, "aws2-newest", "aws2-newest", "--version")}, identity...)
		}},
		{name: "boto3", command: func(t *testing.T, _ *stage.Stage) []string {
			python := need(t, "boto3", "python3", "-c", "import boto3; print(boto3.__version__)")
			return []string{python, "-c", "import boto3; print(boto3.Session().client('sts').get_caller_identity()['Arn'])"}
		}},
		{name: "botocore", command: func(t *testing.T, _ *stage.Stage) []string {
			python := need(t, "botocore", "python3", "-c", "import botocore; print(botocore.__version__)")
			return []string{python, "-c", "import botocore.session as s; print(s.get_session().create_client('sts').get_caller_identity()['Arn'])"}
		}},
		{name: "gosdk", command: func(t *testing.T, _ *stage.Stage) []string {
			return []string{built(t, "gosdk", "awssdk")}
		}},
		{name: "jssdk", command: func(t *testing.T, s *stage.Stage) []string {
			sdk := filepath.Join(nodeModules(), "@aws-sdk", "client-sts", "package.json")
			node := need(t, "jssdk", "node", "-p", "require("+strconv.Quote(sdk)+").version")
			if err := os.Symlink(nodeModules(), filepath.Join(s.Home, "node_modules")); err != nil {
				t.Fatal(err)
			}
			return []string{node, s.Write("who.mjs", whoAmI)}
		}},
	}
}

// built builds a program of this repository that is written as anybody would for an SDK, and notes that SDK's version.
func built(t *testing.T, name, folder string) string {
	t.Helper()
	t.Logf("NEEDS-NAMED %s", name)
	program := filepath.Join(t.TempDir(), folder)
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", "..", folder)
	run(t, build)
	version, err := exec.Command(program, "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			stage.Ran(t, name, strings.TrimSpace(string(version)))
		}
	})
	return program
}

const whoAmI = `
import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
console.log((await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn);
`

// nodeModules is where the AWS SDK for JavaScript was obtained.
func nodeModules() string { return filepath.Join(os.Getenv(Variable), "pnpm-modules") }

// Every client gets its credentials through credential_process, takes a role by another profile whose source ours is, and asks the
// endpoints of exec and of serve; all of that is one exchange. The Cloud is for those that can be told of no other STS.
func TestAWSClients(t *testing.T) {
	s := stage.NewWith(t, installed, behind)
	cloud := s.Cloud(map[string]http.Handler{})
	run(t, s.Command("", "cognito-credhelper", "configure", "--profile", "sandbox"))
	s.Write(s.Config(), read(t, s.Config())+"\n[profile chain]\nrole_arn = arn:aws:iam::123456789012:role/Behind\nsource_profile = sandbox\nregion = eu-central-1\nservices = sandbox\n")
	command := func(words []string, env ...string) *exec.Cmd {
		cmd := s.Command("", words[0], words[1:]...)
		cmd.Env = append(append(cmd.Env, cloud.Env()...), "AWS_REGION=eu-central-1", "AWS_DEFAULT_REGION=eu-central-1", "AWS_ENDPOINT_URL_STS="+s.Endpoint)
		cmd.Env = append(cmd.Env, env...)
		return cmd
	}
	served := serve(t, command([]string{"cognito-credhelper", "serve", "--profile", "sandbox", "--format", "env-no-export"}))

	for _, client := range sdks() {
		t.Run(client.name, func(t *testing.T) {
			words := client.command(t, s)
			under := []string{"cognito-credhelper", "exec", "--profile", "sandbox", "--"}
			endpoint := served
			if client.old {
				under = []string{"cognito-credhelper", "exec", "--profile", "sandbox", "--token-variable", "--"}
				endpoint = withToken(t, served)
			}
			for _, way := range []struct {
				name, role string
				cmd        *exec.Cmd
			}{
				{"credential_process", "SandboxAuthenticated", command(words, "AWS_PROFILE=sandbox")},
				{"source_profile", "Behind", command(words, "AWS_PROFILE=chain")},
				{"exec", "SandboxAuthenticated", command(append(under, words...))},
				{"serve", "SandboxAuthenticated", command(words, endpoint...)},
			} {
				if out := run(t, way.cmd); !strings.Contains(out, ":assumed-role/"+way.role+"/") {
					t.Errorf("%s: %s", way.name, out)
				}
			}
		})
	}
	if n := s.Requests()["GetCredentialsForIdentity"]; n != 1 {
		t.Errorf("%d exchanges, want 1", n)
	}
}

// serve starts our endpoint and gives the variables that it prints. It ends with the test.
func serve(t *testing.T, cmd *exec.Cmd) (variables []string) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for len(variables) < 2 && lines.Scan() {
		variables = append(variables, lines.Text())
	}
	if len(variables) < 2 {
		t.Fatalf("serve printed %q", variables)
	}
	return variables
}

// withToken has the token itself in place of its file.
func withToken(t *testing.T, variables []string) (changed []string) {
	t.Helper()
	for _, v := range variables {
		if file, ok := strings.CutPrefix(v, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="); ok {
			v = "AWS_CONTAINER_AUTHORIZATION_TOKEN=" + read(t, strings.Trim(file, `'"`))
		}
		changed = append(changed, v)
	}
	return changed
}

// Twenty threads of one session cause one exchange.
func TestThreads(t *testing.T) {
	for name, session := range map[string]string{
		"boto3":    "import boto3; session = boto3.Session(profile_name='sandbox'); client = lambda: session.client('sts')",
		"botocore": "import botocore.session; session = botocore.session.Session(profile='sandbox'); client = lambda: session.create_client('sts')",
	} {
		t.Run(name, func(t *testing.T) {
			python := need(t, name, "python3", "-c", "import "+name+"; print("+name+".__version__)")
			s := stage.New(t, installed)
			run(t, s.Command("", "cognito-credhelper", "configure", "--profile", "sandbox"))
			run(t, s.Command("", python, "-c", session+"\n"+threads))
			if n := s.Requests()["GetCredentialsForIdentity"]; n != 1 {
				t.Errorf("%d exchanges, want 1", n)
			}
		})
	}
}

const threads = `
import sys, threading
said, failed, gate = [], [], threading.Barrier(20)
def ask():
    gate.wait()
    try:
        said.append(client().get_caller_identity()["Account"])
    except Exception as e:
        failed.append(repr(e))
many = [threading.Thread(target=ask) for _ in range(20)]
[t.start() for t in many]; [t.join() for t in many]
print(len(said), set(said), failed)
sys.exit(0 if len(said) == 20 else 1)
`

// Google's library for Go runs us for an ID token, and a token endpoint of the test's takes it.
func TestGoogleLibrary(t *testing.T) {
	program := built(t, "gcpsdk", "gcpsdk")
	s := stage.New(t, installed)
	cmd := s.Command("", program, s.Program("cognito-credhelper")+" gcp --profile sandbox")
	cmd.Env = append(cmd.Env, "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1")
	if out := run(t, cmd); !strings.Contains(out, `"access_token":"for-an-ID-token"`) {
		t.Error(out)
	}
}
