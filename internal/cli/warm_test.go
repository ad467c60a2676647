package cli

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// counted are sessions whose tokens are counted.
type counted struct {
	sessions
	mu    sync.Mutex
	asked int
	life  token.Lifetime
}

func (c *counted) Token(context.Context, tokensource.Target, tokensource.Want) (token.Token, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	return token.Token{Value: token.NewSecret("t"), Lifetime: c.life}, nil
}

// A warm answer comes from memory as long as every file that it depends on is the same, and its life is good enough; whatever
// changes, the session is asked again.
func TestWarmAnswers(t *testing.T) {
	folder := t.TempDir()
	ini, session := filepath.Join(folder, "config"), filepath.Join(folder, "x.ses")
	write := func(path, text string) {
		t.Helper()
		temp := path + ".new"
		if err := os.WriteFile(temp, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temp, path); err != nil {
			t.Fatal(err)
		}
	}
	write(ini, "a")
	write(session, "a")
	now := time.Now().Add(time.Hour) // so that the files are old
	c := &counted{life: token.Lifetime{Issued: now, Expires: now.Add(time.Hour)}}
	b := newBench(t)
	b.now = func() token.Instant { return token.Instant{Wall: now} }
	b.program.sessions = func() (sessions, error) { return c, nil }
	b.loadProfile = func(s profiles.Selection, _ func(string) string) (profiles.Profile, error) {
		stamp, err := profiles.Stamp(ini)
		p := devProfile()
		p.Name, p.Consulted = s.Name, []profiles.FileStamp{stamp}
		return p, err
	}
	b.sessionFile = func(tokensource.Target) (string, error) { return session, nil }
	w := newWarm(b.program)
	r := protocol.Request{Profile: profiles.Selection{Name: "dev", Named: true}, Use: token.UseAccess}
	ask := func(what string, r protocol.Request, want int) {
		t.Helper()
		if _, err := w.Token(t.Context(), r); err != nil || c.asked != want {
			t.Errorf("%s: the session was asked %d times, want %d (%v)", what, c.asked, want, err)
		}
	}
	ask("first", r, 1)
	ask("again", r, 1)
	id := r
	id.Use = token.UseID
	ask("another token", id, 2)
	ask("the first again", r, 2)
	write(session, "b")
	ask("after the session changed", r, 3)
	ask("again", r, 3)
	write(ini, "b")
	ask("after the profile changed", r, 4)
	ask("again", r, 4)
	long := r
	long.MinTTL = 50 * time.Minute
	ask("with more life", long, 5)
	ask("again", long, 5)
	now = now.Add(15 * time.Minute)
	ask("when it is not enough any more", long, 6)
	ask("where it still is", r, 6)
	now = now.Add(44 * time.Minute)
	ask("near its end", r, 7)
	if err := os.Remove(session); err != nil {
		t.Fatal(err)
	}
	ask("after a logout", r, 8)
	ask("again", r, 9) // nothing is kept of what has no file

	// A file that was just written is not believed: a change in the same tick would not show.
	write(session, "c")
	now = time.Now()
	c.life = token.Lifetime{Issued: now, Expires: now.Add(time.Hour)}
	write(ini, "c")
	ask("young file", r, 10)
	ask("again", r, 11)
}

func TestWarmAnswersAtOnce(t *testing.T) {
	b := newBench(t)
	c := &counted{life: token.Lifetime{Issued: noon, Expires: noon.Add(time.Hour)}}
	b.program.sessions = func() (sessions, error) { return c, nil }
	b.remember = func(profiles.Selection, profiles.Profile) {}
	w := newWarm(b.program)
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if _, err := w.Token(t.Context(), protocol.Request{Profile: profiles.Selection{Name: "dev"}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
