package prompt

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

func prepared(t *testing.T, stdin string, passwordStdin bool, answers ...string) (*Prepared, error) {
	t.Helper()
	p, err := NewPrepared(answers, passwordStdin, NewValues(strings.NewReader(stdin)))
	if err != nil {
		return nil, err
	}
	return p, p.Read(t.Context())
}

func TestPreparedAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, []byte("123456\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name          string
		stdin         string
		passwordStdin bool
		answers       []string
		question      challenge.Question
		want          string // "" means that nobody answers
	}{
		{"literal", "", false, []string{"A=b"}, challenge.Question{Name: "A"}, "b"},
		{"equals sign in the value", "", false, []string{"A=b=c"}, challenge.Question{Name: "A"}, "b=c"},
		{"attribute name", "", false, []string{"userAttributes.email=a@b.c"}, challenge.Question{Name: "userAttributes.email"}, "a@b.c"},
		{"escaped at sign", "", false, []string{"A=@@b"}, challenge.Question{Name: "A"}, "@b"},
		{"at sign inside", "", false, []string{"A=b@"}, challenge.Question{Name: "A"}, "b@"},
		{"file, one newline cut", "", false, []string{"A=@" + file}, challenge.Question{Name: "A"}, "123456"},
		{"standard input", " x \n\n", false, []string{"A=-"}, challenge.Question{Name: "A"}, " x \n"},
		{"password from standard input", "pw\n", true, nil, challenge.Question{Name: "PASSWORD"}, "pw"},
		{"first attempt", "", false, []string{"A=1", "A=2"}, challenge.Question{Name: "A", Attempt: 1}, "1"},
		{"second attempt", "", false, []string{"A=1", "B=x", "A=2"}, challenge.Question{Name: "A", Attempt: 2}, "2"},
		{"third attempt has none", "", false, []string{"A=1", "A=2"}, challenge.Question{Name: "A", Attempt: 3}, ""},
		{"other name", "", false, []string{"A=1"}, challenge.Question{Name: "B"}, ""},
		{"choice", "", false, []string{"A=x"}, challenge.Question{Name: "A", Choices: []string{"x", "y"}}, "x"},
		{"same file for two names", "", false, []string{"B=@" + file, "A=@" + file}, challenge.Question{Name: "A"}, "123456"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := prepared(t, tt.stdin, tt.passwordStdin, tt.answers...)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Answer(t.Context(), tt.question)
			if tt.want == "" {
				if !errors.Is(err, challenge.ErrNoAnswer) {
					t.Fatalf("error %v, want ErrNoAnswer", err)
				}
				return
			}
			if err != nil || got.Reveal() != tt.want {
				t.Errorf("answer %q, %v; want %q", got.Reveal(), err, tt.want)
			}
		})
	}
}

func TestPreparedRefusals(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name          string
		stdin         string
		passwordStdin bool
		answers       []string
		says          string
	}{
		{"no equals sign", "", false, []string{"hunter2"}, "--answer takes NAME=VALUE"},
		{"no name", "", false, []string{"=hunter2"}, "--answer takes NAME=VALUE"},
		{"odd name", "", false, []string{"A B=hunter2"}, "--answer takes NAME=VALUE"},
		{"two readers", "hunter2", true, []string{"NEW_PASSWORD=-"}, "standard input cannot serve --password-stdin and --answer NEW_PASSWORD"},
		{"two readers of one name", "hunter2", false, []string{"A=-", "A=-"}, "standard input cannot serve"},
		{"missing file", "", false, []string{"A=@/nowhere/at/all"}, "--answer A: the file /nowhere/at/all cannot be read"},
		{"empty value", "", false, []string{"A="}, "--answer A: the value is empty"},
		{"empty file", "", false, []string{"A=@" + empty}, "the value is empty"},
		{"empty standard input", "", true, nil, "--password-stdin: the value is empty"},
		{"too long", strings.Repeat("hunter2", 10_000), true, nil, "longer than 64 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := prepared(t, tt.stdin, tt.passwordStdin, tt.answers...)
			if token.KindOf(err) != token.Usage || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v, want a usage error with %q", err, tt.says)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a value: %v", err)
			}
		})
	}
}

func TestPreparedRefusesAnAnswerThatIsNoChoice(t *testing.T) {
	p, err := prepared(t, "", false, "ANSWER=x")
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Answer(t.Context(), challenge.Question{Name: "ANSWER", Choices: []string{"SMS", "\x1b[2J"}})
	if token.KindOf(err) != token.Usage || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("error %q, want a usage error without escape sequences", err)
	}
}

func TestPreparedWarnsOfPasswordsOnTheCommandLine(t *testing.T) {
	tests := []struct {
		answers []string
		lines   int
	}{
		{[]string{"PASSWORD=hunter2", "NEW_PASSWORD=hunter2"}, 1},
		{[]string{"NEW_PASSWORD=hunter2"}, 1},
		{[]string{"PASSWORD=-"}, 0},
		{[]string{"PASSWORD=@f"}, 0},
		{[]string{"SOFTWARE_TOKEN_MFA_CODE=123456"}, 0},
	}
	for _, tt := range tests {
		p, err := NewPrepared(tt.answers, false, NewValues(strings.NewReader("")))
		if err != nil {
			t.Fatal(err)
		}
		got := p.Warnings()
		if len(got) != tt.lines || strings.Contains(strings.Join(got, ""), "hunter2") {
			t.Errorf("%v: warnings %q, want %d without the value", tt.answers, got, tt.lines)
		}
	}
}

func TestPreparedKnowsWhatNobodyAsked(t *testing.T) {
	p, err := prepared(t, "", false, "A=1", "TOTP=2", "TOTP=3")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Answer(t.Context(), challenge.Question{Name: "A"}); err != nil {
		t.Fatal(err)
	}
	if got := p.Unused(); len(got) != 1 || got[0] != "TOTP" {
		t.Errorf("unused %v, want [TOTP]", got)
	}
}

func TestReadingAPipeEndsWithTheContext(t *testing.T) {
	silent, hold := io.Pipe()
	defer hold.Close()
	p, err := NewPrepared(nil, true, NewValues(silent))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Read(ctx); token.KindOf(err) != token.Interrupted {
		t.Errorf("error %v, want kind Interrupted", err)
	}
}

// answerer is one answer, or none.
type answerer struct {
	text string
	err  error
}

func (a answerer) Answer(context.Context, challenge.Question) (token.Secret, error) {
	return token.NewSecret(a.text), a.err
}

func TestChain(t *testing.T) {
	nobody := answerer{err: challenge.ErrNoAnswer}
	broken := answerer{err: errors.New("broken")}
	tests := []struct {
		name  string
		chain Chain
		want  string
		err   error
	}{
		{"first has it", Chain{answerer{text: "a"}, answerer{text: "b"}}, "a", nil},
		{"second has it", Chain{nobody, answerer{text: "b"}}, "b", nil},
		{"an error ends it", Chain{broken, answerer{text: "b"}}, "", broken.err},
		{"nobody has it", Chain{nobody, nobody}, "", challenge.ErrNoAnswer},
		{"nobody is there", nil, "", challenge.ErrNoAnswer},
	}
	for _, tt := range tests {
		got, err := tt.chain.Answer(t.Context(), challenge.Question{})
		if got.Reveal() != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %q, %v; want %q, %v", tt.name, got.Reveal(), err, tt.want, tt.err)
		}
	}
}

// Property: whatever the arguments are, an error never shows a value, and an accepted literal answer is given back as it
// was typed, one leading @@ apart.
func FuzzPreparedLiteral(f *testing.F) {
	f.Add("A=b")
	f.Add("A=@@b")
	f.Add("=")
	f.Add("A\x1b=b")
	f.Fuzz(func(t *testing.T, arg string) {
		name, raw, _ := strings.Cut(arg, "=")
		if !Literal(raw) {
			return
		}
		p, err := NewPrepared([]string{arg}, false, NewValues(strings.NewReader("")))
		if err == nil {
			err = p.Read(t.Context())
		}
		if err != nil {
			if token.KindOf(err) != token.Usage || strings.IndexFunc(err.Error(), func(r rune) bool { return r < ' ' }) >= 0 {
				t.Fatalf("error %q", err)
			}
			return
		}
		got, err := p.Answer(t.Context(), challenge.Question{Name: name})
		if want := strings.TrimPrefix(raw, "@"); err != nil || got.Reveal() != want {
			t.Fatalf("%q: %q, %v; want %q", arg, got.Reveal(), err, want)
		}
	})
}

func TestPreparedAnswersOfRoundsAndChallenges(t *testing.T) {
	p, err := prepared(t, "", false, "ANSWER=one", "SELECT_MFA_TYPE.ANSWER=EMAIL_OTP", "ANSWER=two", "SMS_MFA.NEVER=x")
	if err != nil {
		t.Fatal(err)
	}
	round := func(n int) challenge.Question {
		return challenge.Question{Challenge: "CUSTOM_CHALLENGE", Name: "ANSWER", Attempt: 1, Round: n}
	}
	choice := challenge.Question{Challenge: "SELECT_MFA_TYPE", Name: "SELECT_MFA_TYPE.ANSWER", Attempt: 1}
	for _, tt := range []struct {
		q    challenge.Question
		want string
	}{{round(1), "one"}, {choice, "EMAIL_OTP"}, {round(2), "two"}, {round(1), "one"}, {round(2), "two"}, {round(3), ""}} {
		if got, err := p.Answer(t.Context(), tt.q); got.Reveal() != tt.want || (tt.want == "") != errors.Is(err, challenge.ErrNoAnswer) {
			t.Errorf("%s: %q, %v; want %q", tt.q.Challenge, got.Reveal(), err, tt.want)
		}
	}
	if got := strings.Join(p.Unused(), " "); got != "SMS_MFA.NEVER" {
		t.Errorf("unused: %s", got)
	}
	if !p.Has("ANSWER") || p.Has("OTHER") {
		t.Error("Has does not know what is there")
	}
}
