package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds"
	"github.com/cognito-credhelper/cognito-credhelper/internal/awscreds/registries"
	"github.com/cognito-credhelper/cognito-credhelper/internal/clock"
	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/detach"
	"github.com/cognito-credhelper/cognito-credhelper/internal/handover"
	"github.com/cognito-credhelper/cognito-credhelper/internal/history"
	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/profileindex"
	"github.com/cognito-credhelper/cognito-credhelper/internal/prompt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/all"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/printtoken/claims"
	"github.com/cognito-credhelper/cognito-credhelper/internal/refresh"
	"github.com/cognito-credhelper/cognito-credhelper/internal/setup"
	"github.com/cognito-credhelper/cognito-credhelper/internal/statefolder"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/internal/transport"
	"github.com/cognito-credhelper/cognito-credhelper/internal/worker"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
	"github.com/cognito-credhelper/cognito-credhelper/profiles/inifile"
)

// parts are the real things behind a program, built when they are first needed.
type parts struct {
	*worker.Parts
	p    *program
	lock *os.File         // that the front took; nil without one
	told tokensource.Told // by the worker that the front started; nil without one

	build    sync.Once
	cache    *tokencache.Cache
	source   *tokensource.Source
	provider *awscreds.Provider
	sessions sessions    // source's, and where this process keeps some to itself, those
	aws      awsProvider // provider's, likewise
	err      error
}

// compose wires the program together. This is the only place that knows every part.
func compose(env Env) *program {
	p := &program{
		Env:      env,
		terminal: &prompt.Terminal{Plain: env.Getenv("TERM") == "dumb"},
		now:      clock.Now,
		credLine: setup.CredentialProcessLine,
	}
	p.adapters = all.Adapters(p.claims)
	c := &parts{Parts: worker.New(env.Getenv, p.now), p: p}
	c.Ask = registries.All()
	if handed, ok := handover.Take(env.Getenv, env.Unsetenv); ok {
		p.front, p.resumed, c.lock = handed.FrontVersion, handed.Resumed, handed.Lock
		if handed.Replay != nil {
			p.Stdin = io.MultiReader(handed.Replay, env.Stdin)
			p.greeted = true
		}
		if handed.Answer != nil {
			c.told = toldFrom(handed.Answer)
		}
	}
	c.Key = takeKey(env.Getenv, env.Unsetenv)
	p.stateFolder = func() (string, string, error) { return statefolder.Find(env.Getenv) }
	p.remote = statefolder.Remote
	p.loadProfile = c.Profile
	p.profileNames = func(location string) ([]string, error) { return inifile.Names(location, c.Ini(env.Getenv)) }
	p.bindings = c.bindings
	p.kept = func() (*hostTokens, error) {
		folder, _, err := p.stateFolder()
		slots := c.Slots(folder)
		return &hostTokens{cache: tokencache.OpenHosts(folder, slots), slots: slots, now: p.now}, err
	}
	p.profileKeys = c.profileKeys
	p.configFile = func() string {
		_, config := profiles.DefaultFiles(env.Getenv, c.Home)
		return config
	}
	p.sessions = func() (sessions, error) {
		c.build.Do(c.compose)
		return c.sessions, c.err
	}
	p.aws = func() (awsProvider, error) {
		c.build.Do(c.compose)
		return c.aws, c.err
	}
	p.rawPool = c.rawPool
	p.slots = func() (*keyslot.Slots, error) {
		folder, _, err := p.stateFolder()
		return c.Slots(folder), err
	}
	p.vault = func() (vault, error) {
		folder, _, err := p.stateFolder()
		return tokencache.Open(folder, c.Slots(folder)), err
	}
	if folder, _, err := p.stateFolder(); err == nil {
		p.calls = history.Open(folder)
		c.Calls = p.calls
	}
	p.userPool = func(t tokensource.Target) (userPool, error) { return c.userPool(t) }
	p.remember = c.remember
	p.renew = c.Serve
	p.executable = func() (string, error) {
		self, err := executable()
		return stablePath(self, env.Getenv("PATH")), err
	}
	p.writeProfile = writeProfile
	p.sessionFile = func(t tokensource.Target) (string, error) {
		c.build.Do(c.compose)
		if c.err != nil {
			return "", c.err
		}
		return c.cache.File(t.Identity().SessionID())
	}
	return p
}

// claims shows what a token says, and tells a person what whoever has the token can do with it.
func (p *program) claims(t token.Token) ([]byte, error) {
	shown, err := claims.Print(t)
	var said struct {
		Use string `json:"token_use"`
	}
	if err == nil && json.Unmarshal(shown, &said) == nil {
		p.say("this is an %s: %s", gives(said.Use), setup.Reach(said.Use, profiles.Profile{}))
	}
	return shown, err
}

// starter starts workers that have what they need of this process's environment and nothing else of it. A plugin's file may be
// replaced while it runs, by an upgrade or by somebody else, and its host has checked the one that runs: on Linux the worker
// is that very file.
func (c *parts) starter(program string) tokensource.Worker {
	if c.p.asPlugin && runtime.GOOS == "linux" {
		program = "/proc/self/exe"
	}
	w := detach.New(program, detach.Environment(c.p.Environ()))
	if c.Key == nil {
		return w
	}
	return worker.WithKey(w, c.Key)
}

// profileKeys reads every key of a profile's sections as the AWS tools would.
func (c *parts) profileKeys(s profiles.Selection) ([]placedKey, error) {
	places, err := inifile.Find(s, c.Ini(c.p.Getenv))
	if err != nil {
		return nil, err
	}
	var found []placedKey
	for _, at := range places {
		data, _, err := inifile.ReadFile(at.File)
		if err != nil {
			return nil, err
		}
		for _, section := range inifile.Outline(data) {
			if section.Line != at.Line {
				continue
			}
			for _, k := range section.Keys {
				found = append(found, placedKey{
					name: k.Name, file: at.File, section: section.Name, line: at.File + ":" + strconv.Itoa(k.Line),
				})
			}
		}
	}
	return found, nil
}

// compose builds what works on sessions.
func (c *parts) compose() {
	folder, _, err := c.p.stateFolder()
	if err != nil {
		c.err = err
		return
	}
	self, err := executable()
	if err != nil {
		c.err = err
		return
	}
	slots := c.Slots(folder)
	cache := c.Sessions(folder, slots)
	c.cache = cache
	o := tokensource.Options{
		Cache:  cache,
		Slots:  slots,
		Client: c.client,
		Now:    c.p.now,
		PID:    os.Getpid(),
		Worker: c.starter(self),
		Hold:   refresh.Hold,
		Warn:   c.p.warn,
		Told:   c.told,
	}
	if c.p.resumed {
		// The front had waited and saw a renewal fail: what it saw counts for us, too.
		o.Began = c.p.now().Wall.Add(-frontWait)
		o.LockWait = afterFront
	}
	if c.lock != nil {
		o.Inherited = adopting(cache, c.lock)
	}
	c.source = tokensource.New(o)
	c.provider = c.Exchange(c.source, c.http)
	c.sessions, c.aws = c.source, c.provider
	if c.p.ownMemory {
		memory := c.inMemory()
		c.sessions, c.aws = placed{c.source, memory}, placedAWS{c.provider, c.Exchange(memory, c.http)}
	}
}

// inMemory works on the sessions that are in the memory of this process only. No worker can have them, and no signal that ends
// the process could spare them, so that renewals are made here and nothing is held back.
func (c *parts) inMemory() *tokensource.Source {
	slots := keyslot.InMemory()
	return tokensource.New(tokensource.Options{
		Cache: tokencache.OpenInMemory(slots), Slots: slots, Client: c.client, Now: c.p.now, PID: os.Getpid(), Warn: c.p.warn,
	})
}

const (
	// frontWait is the longest that a front can have waited before it handed over.
	frontWait = 30 * time.Second
	// afterFront is how long a lock is still waited for then: host and person have been patient already.
	afterFront = 2 * time.Second
)

// adopting gives the lock that the front took, once: it is one session's, and whoever gets it lets it go. A lock of another
// session, or one that is of no use, is let go at once: its waiters would wait for us, and so might we.
func adopting(cache *tokencache.Cache, lock *os.File) tokensource.Locks {
	var once sync.Once
	return func(session string) (tx *tokencache.Tx, ok bool) {
		once.Do(func() {
			var err error
			tx, err = cache.Adopt(session, lock)
			if ok = err == nil; !ok {
				lock.Close()
			}
		})
		return tx, ok
	}
}

// toldFrom gives the answer of the worker that the front started, once, to whom its job was for.
func toldFrom(from io.Reader) tokensource.Told {
	text, _ := io.ReadAll(io.LimitReader(from, 2*detach.MaxMessage)) // what is cut short is no answer, and is told so
	first, reply, _ := bytes.Cut(text, []byte("\n"))
	var job tokensource.Job
	if json.Unmarshal(first, &job) != nil {
		return nil
	}
	var given atomic.Bool
	return func(session, work string) ([]byte, bool) {
		if session != job.Session || work != job.Work || given.Swap(true) {
			return nil, false
		}
		return reply, true
	}
}

func (c *parts) client(t tokensource.Target) (tokensource.Client, error) { return c.userPool(t) }

func (c *parts) userPool(t tokensource.Target) (*cognito.Client, error) {
	o := c.Pool(t)
	if inMemory(t.Profile) {
		o.Observe = nil // nothing at all is written
		if !c.p.asPlugin {
			o.Login = c.p.lineFor(t.Selection, t.Username)
		}
	}
	return cognito.New(o)
}

func (c *parts) rawPool(o cognito.Options) (rawPool, error) {
	o.CABundle, o.Observe = c.Bundle(profiles.Profile{CABundle: o.CABundle}), c.Note
	return cognito.New(o)
}

func (c *parts) http(p profiles.Profile) awscreds.HTTPClient {
	if inMemory(p) {
		return transport.New(c.Bundle(p))
	}
	return c.HTTP(p)
}

// remember keeps for the front how a profile resolved. The index only saves time, so failing to write it is nobody's
// problem.
func (c *parts) remember(s profiles.Selection, p profiles.Profile) {
	folder, _, err := c.p.stateFolder()
	if err != nil {
		return
	}
	credentials, config := profiles.DefaultFiles(c.p.Getenv, c.Home)
	answer := profileindex.Answer{
		SessionID: tokensource.Target{Profile: p, Selection: s}.Identity().SessionID(),
		AWSRecord: awscreds.RecordKey(p),
		MinTTL:    p.MinTTL,
	}
	_ = profileindex.Save(folder, s, credentials, config, p.Consulted, answer, c.p.now().Wall)
}

// bindings is the table that is kept for the front, where it holds, else one that is made and kept.
func (c *parts) bindings() (table profileindex.Hosts, unknown, err error) {
	folder, _, err := c.p.stateFolder()
	if err != nil {
		return table, nil, err
	}
	credentials, config := profiles.DefaultFiles(c.p.Getenv, c.Home)
	if table, ok := profileindex.LoadHosts(folder, credentials, config); ok {
		return table, nil, nil
	}
	all, err := inifile.LoadBindings(c.Ini(c.p.Getenv))
	if err != nil {
		return table, nil, err
	}
	table = tableOf(all.Profiles)
	if len(all.Broken) > 0 {
		return table, all.Broken[0], nil // not kept: the front would say "not bound", and nobody why
	}
	_ = profileindex.SaveHosts(folder, credentials, config, all.Consulted, table, c.p.now().Wall) // it only saves time
	return table, nil, nil
}

func tableOf(list []profiles.Profile) profileindex.Hosts {
	var bounds []profileindex.Bound
	for _, p := range list {
		id := tokensource.Target{Profile: p}.Identity().SessionID()
		for _, b := range p.Hosts {
			bounds = append(bounds, profileindex.Bound{Binding: b, Profile: p.Name, SessionID: id, Username: p.Username, MinTTL: p.MinTTL})
		}
	}
	return profileindex.NewHosts(bounds)
}

// writeProfile edits a profile's section.
func writeProfile(file, section string, keys []keyValue) (change, error) {
	given := make([]setup.KeyValue, len(keys))
	for i, k := range keys {
		given[i] = setup.KeyValue{Key: k.key, Value: k.value}
	}
	done, err := setup.WriteProfile(file, section, given)
	return describeChange(done, keys), err
}

// executable is this program's own file, links resolved.
func executable() (string, error) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return "", &token.Error{Kind: token.Failure, Message: "this program cannot find its own file", Err: err}
	}
	return self, nil
}

// describeChange gives what setup did in lines for a person. setup hides every credential_process, since another
// program's may carry a secret; the one that we write has none.
func describeChange(c setup.Change, keys []keyValue) change {
	done := change{nothing: len(c.Keys) == 0}
	for _, k := range c.Keys {
		line := k.Key + " = " + k.New
		if i := slices.IndexFunc(keys, func(g keyValue) bool { return g.key == k.Key }); i >= 0 && k.Key == "credential_process" {
			line = k.Key + " = " + keys[i].value
		}
		if !k.Added {
			line += " (was " + k.Old + ")"
		}
		done.lines = append(done.lines, line)
	}
	return done
}
