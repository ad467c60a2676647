package real

import (
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/test/clients/stage"
)

func awsUser(t *testing.T) *stage.Stage {
	t.Helper()
	s := stage.New(t, installed)
	run(t, s.Command("", "cognito-credhelper", "configure", "--profile", "sandbox"))
	return s
}

func TestAWSCLI(t *testing.T) {
	aws := need(t, "aws", "aws", "--version")
	s := awsUser(t)
	out := run(t, s.Command("", aws, "sts", "get-caller-identity", "--profile", "sandbox", "--output", "json"))
	if !strings.Contains(out, "123456789012") {
		t.Error(out)
	}
}

// Twenty threads of one session cause one exchange.
const threads = `
import sys, threading, boto3
session = boto3.Session(profile_name="sandbox")
said, failed = [], []
def ask():
    try:
        said.append(session.client("sts").get_caller_identity()["Account"])
    except Exception as e:
        failed.append(repr(e))
many = [threading.Thread(target=ask) for _ in range(20)]
[t.start() for t in many]; [t.join() for t in many]
print(len(said), set(said), failed)
sys.exit(0 if len(said) == 20 else 1)
`

func TestBoto3Threads(t *testing.T) {
	python := need(t, "boto3", "python3", "-c", "import boto3; print(boto3.__version__)")
	s := awsUser(t)
	run(t, s.Command("", python, "-c", threads))
	if n := s.Requests()["GetCredentialsForIdentity"]; n != 1 {
		t.Errorf("%d exchanges, want 1", n)
	}
}
