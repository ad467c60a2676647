package tokensource

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/detach"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// toldToken asks with what the front's worker said.
func (w *world) toldToken(work, reply string) (string, error) {
	s := w.source()
	s.o.Told = func(session, goal string) ([]byte, bool) { return []byte(reply), session == w.id() && goal == work }
	got, err := s.Token(w.t.Context(), w.target(), Want{Use: token.UseAccess})
	return got.Value.Reveal(), err
}

// The front tells a worker that has nothing to tell by its very words.
func TestSavedIsWhatAWorkerSays(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(2 * time.Hour)
	job := Job{Format: wireFormat, Session: w.id(), Work: workRefresh}
	if got := w.source().Work(t.Context(), job, w.target(), nil, nil); string(got) != detach.Saved {
		t.Errorf("it says %s", got)
	}
}

func TestWhatTheFrontsWorkerSaidCounts(t *testing.T) {
	hot, err := json.Marshal(answer{Format: wireFormat, saving: saving{Why: "no room"}, Hot: &hotRoute{Access: tokenRoute{Value: "only.here"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		reply, want, words, warned string
		kind                       token.Kind
	}{
		"saved":         {reply: detach.Saved, want: "access-1"},
		"saved nowhere": {reply: string(hot), want: "only.here", warned: "could not be saved"},
		"an error":      {reply: `{"format":1,"saved":true,"error":{"kind":` + number(token.Refused) + `,"message":"blocked"}}`, kind: token.Refused, words: "blocked"},
		"nothing":       {kind: token.Unavailable, words: "gave no answer in time"},
		"half of it":    {reply: detach.Saved[:9], kind: token.Unavailable, words: "gave no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.login()
			w.pass(2 * time.Hour)
			got, err := w.toldToken(workRefresh, c.reply)
			if c.want == "" {
				w.wantKind(err, c.kind, c.words)
			} else if err != nil || got != c.want {
				t.Errorf("got %q, %v", got, err)
			}
			if warned := strings.Join(w.warned, "\n"); !strings.Contains(warned, c.warned) || c.warned == "" && warned != "" {
				t.Errorf("warned %q", warned)
			}
			if len(w.pool.sent) > 0 {
				t.Errorf("sent %q", w.pool.sent)
			}
		})
	}
}

func number(k token.Kind) string {
	b, _ := json.Marshal(k)
	return string(b)
}

// What is still valid is preferred over what a worker could not renew.
func TestStillValidBeatsWhatTheFrontsWorkerSaid(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(57 * time.Minute)
	if got, err := w.toldToken(workRefresh, ""); err != nil || got != "access-1" {
		t.Errorf("%q, %v", got, err)
	}
}

// An answer to something else is none: the renewal is still to be made.
func TestWhatTheFrontsWorkerSaidOfOtherWork(t *testing.T) {
	w := newWorld(t)
	w.login()
	w.pass(2 * time.Hour)
	if got, err := w.toldToken("exchange", detach.Saved); err != nil || got != "access-2" || len(w.pool.sent) != 1 {
		t.Errorf("%q, %v, sent %q", got, err, w.pool.sent)
	}
}
