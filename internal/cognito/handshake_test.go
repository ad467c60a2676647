package cognito

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/challenge"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito/srp"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// typing is a login whose password takes longer to type than A to compute. typed is told when the last key is pressed.
func typing(ctx context.Context, typed func(l *login)) (map[string]string, error) {
	l := &login{c: &Client{}, typed: map[string]token.Secret{challenge.Username: token.NewSecret("alice")}, wrong: map[string]int{}}
	l.ask = answererFunc(func(context.Context, challenge.Question) (token.Secret, error) {
		typed(l)
		return token.NewSecret(testPassword), nil
	})
	return beginSRP(ctx, l)
}

// A is there before the password is.
func TestAIsComputedWhileThePasswordIsTyped(t *testing.T) {
	var early string
	sent, err := typing(t.Context(), func(l *login) {
		h, err := l.handshake() // would never return if A waited for the password
		if err != nil {
			t.Fatal(err)
		}
		early = h.A()
	})
	if err != nil || early == "" || sent["SRP_A"] != early {
		t.Errorf("A before the password %.20q, sent %.20q, %v", early, sent["SRP_A"], err)
	}
}

// BenchmarkPasswordToRequest is what a person waits for between the last key of the password and InitiateAuth: as it is,
// and with A computed only then. The metric "times" is the second by the first.
func BenchmarkPasswordToRequest(b *testing.B) {
	var with, without time.Duration
	for b.Loop() {
		var last time.Time
		_, err := typing(b.Context(), func(l *login) {
			if _, err := l.handshake(); err != nil {
				b.Fatal(err)
			}
			last = time.Now()
		})
		if err != nil {
			b.Fatal(err)
		}
		with += time.Since(last)
		last = time.Now()
		if _, err := srp.Start(rand.Reader); err != nil {
			b.Fatal(err)
		}
		without += time.Since(last)
	}
	n := float64(b.N)
	b.ReportMetric(float64(with.Nanoseconds())/n, "ns-typed")
	b.ReportMetric(float64(without.Nanoseconds())/n, "ns-afterwards")
	b.ReportMetric(float64(without+with)/float64(with), "times")
}
