// Package front is the composition root of the front: it answers machine verbs from a warm session, has the complete program
// renew a stale one in a process of its own, waits for a renewal in flight, and else becomes the complete program.
//
// It guarantees the same answers as the complete program, by the same adapters, and that whatever it cannot answer reaches
// the complete program with the same arguments and standard input, and with the session's lock where it had to be taken.
// It never uses the network, never renews anything in this process, and never asks a person.
package front

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/clock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protect"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/all"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/statefolder"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// maxWait is how long a caller waits for another process that renews; the same as the complete program's own patience.
const maxWait = 25 * time.Second

// Main runs the command line args, program name included, and gives the exit code. On Unix it does not return when the
// complete program takes over.
func Main(args []string) int {
	growStack(0)
	home, _ := os.UserHomeDir() // without a home folder the default files are left out
	lookup := func(folder string, s profiles.Selection) (profileindex.Answer, bool) {
		credentials, config := profiles.DefaultFiles(os.Getenv, home)
		return profileindex.Load(folder, s, credentials, config)
	}
	hosts := func(folder string) (profileindex.Hosts, bool) {
		credentials, config := profiles.DefaultFiles(os.Getenv, home)
		return profileindex.LoadHosts(folder, credentials, config)
	}
	p := process{
		args:       args,
		getenv:     os.Getenv,
		environ:    os.Environ,
		in:         os.Stdin,
		out:        os.Stdout,
		err:        os.Stderr,
		executable: os.Executable,
		adapters:   all.Adapters(nil),
		stored:     func(folder string) store { return openStored(folder, os.Getenv) },
		open:       func(folder string) store { return openStore(folder, os.Getenv) },
		lookup:     lookup,
		hosts:      hosts,
		now:        clock.Now,
		replace:    replace,
		worker:     detached,
		maxWait:    maxWait,
		quieten:    func() { runtime.GOMAXPROCS(1) },
		after:      after,
	}
	return p.run()
}

// process is one run of the front and all that it touches.
type process struct {
	args       []string
	getenv     func(string) string
	environ    func() []string
	in         io.Reader
	out, err   io.Writer
	executable func() (string, error)
	adapters   []protocol.Adapter
	open       func(folder string) store
	stored     func(folder string) store // of tokens that tools gave us to keep
	lookup     func(folder string, s profiles.Selection) (profileindex.Answer, bool)
	hosts      func(folder string) (profileindex.Hosts, bool)
	now        func() token.Instant
	replace    func(core string, args, env []string, held *os.File) (exit int, err error)
	worker     startWorker // nil starts none
	maxWait    time.Duration
	// quieten is called before a wait for another process. With a second processor to give work to, the runtime keeps a thread awake for
	// the first ten milliseconds of a blocking system call: some fifty wake-ups, of each of the many that wait at once, at
	// the very time when the one that renews needs the machine.
	quieten func()
	// after calls f once d has passed, if the process is still there.
	after func(d time.Duration, f func())
}

// run answers, or hands over before a byte is read what no adapter serves.
func (p *process) run() int {
	call := all.Invoked(p.args)
	adapter, ok := all.Find(p.adapters, call.Verb)
	if !ok || adapter.Unread != nil && adapter.Unread(call.Args) {
		return p.become(takeover{})
	}
	protect.Process()
	folder, _, err := statefolder.Find(p.getenv)
	if err != nil {
		return p.become(takeover{})
	}
	c := &caller{
		process: p,
		adapter: adapter,
		call:    call,
		in:      recorder{from: p.in},
		out:     writer{to: p.out},
		source: &source{
			store:  p.open(folder),
			stored: p.stored(folder),
			now:    p.now,
			hosts:  sync.OnceValues(func() (profileindex.Hosts, bool) { return p.hosts(folder) }),
			lookup: p.lookupOnce(folder),
		},
	}
	if adapter.Greeting != nil {
		if _, err := io.WriteString(p.out, adapter.Greeting(call.Args)); err != nil {
			return p.become(takeover{})
		}
	}
	return c.answer()
}

// lookupOnce remembers what it found last. A call that has waited answers by the profiles as they were when it began.
func (p *process) lookupOnce(folder string) func(profiles.Selection) (profileindex.Answer, bool) {
	var of profiles.Selection
	var found profileindex.Answer
	var ok bool
	return func(s profiles.Selection) (profileindex.Answer, bool) {
		if !ok || of != s {
			found, ok = p.lookup(folder, s)
			of = s
		}
		return found, ok
	}
}

// say prints one sentence for a person.
func (p *process) say(sentence string) {
	io.WriteString(p.err, "cognito-credhelper: "+safetext.Line(sentence, 1000)+"\n")
}

// caller is one machine verb on its way to an answer.
type caller struct {
	*process
	adapter protocol.Adapter
	call    all.Invocation
	in      recorder
	out     writer
	source  *source
}

// answer serves the call from what is warm; a stale session is first given the chance that another process renews it.
func (c *caller) answer() int {
	if exit, done := c.serve(); done {
		return exit
	}
	if c.source.stale.id == "" {
		return c.handOver(nil, false)
	}
	return c.answerStale(c.source.stale.id)
}

// answerStale ends in an answer, or in the complete program: with the lock where this process got it and started no worker,
// without where another had it and failed. Nobody goes on to renew without having looked again under the lock.
func (c *caller) answerStale(id string) int {
	started, until := c.now().Wall, time.Now().Add(c.maxWait)
	ctx, end := context.WithCancel(context.Background())
	defer end()
	waiting := false
	for ctx.Err() == nil {
		lock, ok, err := c.source.store.TryLock(id)
		if err != nil {
			return c.handOver(nil, false)
		}
		if ok {
			return c.answerLocked(id, lock, started, until)
		}
		c.source.renewing = true
		if c.source.stale.due { // who holds the lock renews it; nobody waits for that
			if exit, done := c.serve(); done {
				return exit
			}
		}
		if !waiting {
			waiting = true
			c.quieten()
			c.after(c.maxWait, end)
		}
		if c.source.store.Wait(ctx, id) != nil {
			break
		}
		c.source.renewing, c.source.issuedSince = false, started
		if exit, done := c.serve(); done {
			return exit
		}
		if c.source.stale.id != id || c.source.failedSince(started) {
			break
		}
		// The holder ended without a result: it was killed, or it worked on something else. Not everyone at once.
		time.Sleep(time.Millisecond + rand.N(4*time.Millisecond))
	}
	return c.handOver(nil, true)
}

// answerLocked looks again, now that nobody else can be renewing, and has a worker renew; else it takes the lock along to the
// complete program.
func (c *caller) answerLocked(id string, l lock, began, until time.Time) int {
	if exit, done := c.serve(); done {
		l.Unlock()
		return exit
	}
	if c.source.stale.id != id { // forgotten or ended meanwhile: nothing to renew
		l.Unlock()
		return c.handOver(nil, false)
	}
	if exit, started := c.renew(l, began, until); started {
		return exit
	}
	return c.handOver(l, false)
}

// serve runs the adapter on the whole request. done is false when the complete program is to be asked instead.
func (c *caller) serve() (exit int, done bool) {
	c.source.stale = stale{}
	c.in.rewind()
	r := c.adapter.Serve(context.Background(), protocol.Call{Args: c.call.Args, Profile: c.call.Profile, Getenv: c.getenv, In: &c.in, Out: &c.out}, c.source)
	switch {
	case r.Err == nil:
		return r.Exit, true
	case c.out.begun: // half an answer cannot be taken back; a second one behind it would be worse
		c.say(r.Err.Error())
		return r.Exit, true
	default:
		return 0, false
	}
}

func (c *caller) handOver(l lock, resumed bool) int {
	return c.become(takeover{lock: l, consumed: c.in.consumed, resumed: resumed})
}

// writer notices whether anything was written.
type writer struct {
	to    io.Writer
	begun bool
}

func (w *writer) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	w.begun = w.begun || n > 0
	return n, err
}

// recorder keeps what was read, so that it can be read again, by the adapter or by the complete program.
type recorder struct {
	from     io.Reader
	consumed []byte
	next     int // what of consumed was read since rewind
}

func (r *recorder) rewind() { r.next = 0 }

func (r *recorder) Read(b []byte) (int, error) {
	if r.next < len(r.consumed) {
		n := copy(b, r.consumed[r.next:])
		r.next += n
		return n, nil
	}
	n, err := r.from.Read(b)
	r.consumed = append(r.consumed, b[:n]...)
	r.next += n
	return n, err
}
