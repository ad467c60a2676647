package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/host"
	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// A plugin that lives long does not grow: whatever its host asks, gives up, or lets expire, as often as it likes, the plugin then
// has the descriptors, goroutines, and processes that it had before.
func TestPluginDoesNotGrow(t *testing.T) {
	for name, line := range map[string]string{"Kept": "", "InMemory": "cognito_store = none\n"} {
		t.Run(name, func(t *testing.T) {
			p := startPool(t, "", line+"cognito_hosts =\n    api.example.com = access\n")
			p.user, p.password = "bob", "Tr0ub4dor&3"
			b := &busy{pool: p, clock: startClock(t)}
			const few, many = 3, 10
			short, long := b.life(t, few), b.life(t, many)
			if len(long) > len(short) {
				t.Errorf("%d goroutines after %d rounds, %d after %d:\n%s", len(short), few, len(long), many, strings.Join(long, "\n\n"))
			}
		})
	}
}

// busy is a host that asks for everything, over and over.
type busy struct {
	*pool
	clock *hours
}

// life runs a plugin through rounds, waits until it has no more descriptors and processes than it began with, and gives its goroutines.
func (b *busy) life(t *testing.T, rounds int) (goroutines []string) {
	t.Helper()
	temp, err := os.MkdirTemp("", "l") // for the socket, which SIGQUIT leaves behind
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(temp)
	cmd := exec.Command(core(), "plugin", "--debug")
	cmd.Env = append(os.Environ(), "GOTRACEBACK=all", "TMPDIR="+temp)
	var said bytes.Buffer
	cmd.Stderr = &said
	line, err := started(t, cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("COGNITO_CREDHELPER_REATTACH", line)
	before := heldBy(t, cmd.Process.Pid)
	c, err := host.Open(t.Context(), host.Options{AllowReattach: true})
	if err != nil {
		t.Fatal(err)
	}
	for range rounds {
		b.round(t, c)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	await(t, "the plugin to have no more than it began with", func() bool {
		now := heldBy(t, cmd.Process.Pid)
		return len(now) <= len(before) && sockets(now) <= sockets(before)
	}, func() string {
		return fmt.Sprintf("it began with %q and has %q", before, heldBy(t, cmd.Process.Pid))
	})
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil { // says what every goroutine does, and ends
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for part := range strings.SplitSeq(said.String(), "\n\n") {
		if strings.HasPrefix(part, "goroutine ") {
			goroutines = append(goroutines, part)
		}
	}
	if len(goroutines) == 0 {
		t.Fatalf("no goroutine was seen:\n%s", said.String())
	}
	return goroutines
}

// round is what a host may do in a day: sign in, with and without success; ask, from many places at once; let tokens expire; give
// up in the middle; ask what is not to be had; sign out.
func (b *busy) round(t *testing.T, c *host.Client) {
	t.Helper()
	ctx := t.Context()
	for name, ask := range map[string]func(context.Context, context.CancelFunc) (plugin.Secret, error){
		"canceled by the person": func(context.Context, context.CancelFunc) (plugin.Secret, error) {
			return plugin.Secret{}, &plugin.Error{Code: plugin.CodeCanceled, Message: "no"}
		},
		"given up by the host": func(ctx context.Context, cancel context.CancelFunc) (plugin.Secret, error) {
			cancel()
			<-ctx.Done()
			return plugin.Secret{}, ctx.Err()
		},
	} {
		limited, cancel := context.WithCancel(ctx)
		_, err := c.Login(limited, plugin.LoginRequest{Selection: sandboxSession}, plugin.AskerFunc(func(ctx context.Context, _ plugin.Question) (plugin.Secret, error) {
			return ask(ctx, cancel)
		}))
		cancel()
		if plugin.CodeOf(err) != plugin.CodeCanceled {
			t.Errorf("a login that was %s: %v", name, err)
		}
	}
	if _, err := c.Login(ctx, plugin.LoginRequest{Selection: sandboxSession}, b.asker(t)); err != nil {
		t.Fatal(err)
	}
	b.everywhere(t, c)
	b.clock.pass(t, b.pool)
	b.everywhere(t, c)
	b.clock.pass(t, b.pool)
	b.control(t, "POST", "/faults", `{"operation": "GetTokensFromRefreshToken", "kind": "slow", "delay_ms": 300, "count": 1}`)
	impatient, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	_, err := c.GetTokens(impatient, plugin.GetTokensRequest{Selection: sandboxSession})
	cancel()
	if plugin.CodeOf(err) != plugin.CodeUnavailable {
		t.Errorf("a call that was given up: %v", err)
	}
	b.everywhere(t, c)
	if _, err := c.GetTokens(ctx, plugin.GetTokensRequest{Selection: plugin.Selection{Profile: "missing"}}); plugin.CodeOf(err) != plugin.CodeBadProfile {
		t.Errorf("a profile that is missing: %v", err)
	}
	if _, err := c.Logout(ctx, plugin.LogoutRequest{Selection: sandboxSession}); err != nil {
		t.Error(err)
	}
}

// everywhere asks for everything from many places at once.
func (b *busy) everywhere(t *testing.T, c *host.Client) {
	t.Helper()
	ctx := t.Context()
	var all sync.WaitGroup
	for range 8 {
		for _, ask := range []func() error{
			func() error {
				_, err := c.GetTokens(ctx, plugin.GetTokensRequest{Selection: sandboxSession})
				return err
			},
			func() error {
				_, err := c.GetAWSCredentials(ctx, plugin.GetAWSCredentialsRequest{Selection: sandboxSession})
				return err
			},
			func() error {
				_, err := c.GetCredentialForHost(ctx, plugin.GetCredentialForHostRequest{URL: "https://api.example.com/"})
				return err
			},
			func() error { _, err := c.Status(ctx, plugin.StatusRequest{Selection: sandboxSession}); return err },
			func() error { _, err := c.ListProfiles(ctx, plugin.ListProfilesRequest{}); return err },
		} {
			all.Go(func() {
				if err := ask(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
}

// heldBy are the descriptors and child processes of a process, by what they are.
func heldBy(t *testing.T, pid int) (held []string) {
	t.Helper()
	descriptors, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, d := range descriptors {
		to, err := os.Readlink(d)
		if err != nil {
			continue // closed meanwhile
		}
		kind, _, _ := strings.Cut(to, ":[") // the numbers of pipes and sockets are never the same
		held = append(held, kind)
	}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		held = append(held, strings.Fields(string(text))...)
	}
	slices.Sort(held)
	return held
}

// sockets is how many of what is held are connections, or listen for one.
func sockets(held []string) (n int) {
	for _, h := range held {
		if h == "socket" {
			n++
		}
	}
	return n
}

func await(t *testing.T, what string, done func() bool, state func() string) {
	t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("waited in vain for %s: %s", what, state())
}
