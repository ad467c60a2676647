package profileindex

import (
	"hash/crc32"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// Bound is one line of some profile's cognito_hosts, and what it leads to.
type Bound struct {
	Binding   profiles.Binding
	Profile   string
	SessionID string
	Username  string        // cognito_username of the profile; "" when not set
	MinTTL    time.Duration // cognito_min_ttl of the profile; 0 when not set
}

// same reports whether two bindings of one place give the same credential.
func (b Bound) same(o Bound) bool {
	return b.SessionID == o.SessionID && b.Binding.Kind == o.Binding.Kind && b.Binding.User == o.Binding.User
}

// Hosts is the sorted table of what all profiles bind. A look-up is a binary search that decodes only what it finds. The
// zero value binds nothing. Immutable, safe for concurrent use.
type Hosts struct {
	profiles, rows offsets
	blob           []byte // what both point into
}

// offsets are 4-byte numbers in a row.
type offsets []byte

func (o offsets) len() int     { return len(o) / 4 }
func (o offsets) at(i int) int { return int(number(o[4*i : 4*i+4])) }

// NewHosts makes the table.
func NewHosts(bounds []Bound) Hosts {
	bounds = slices.Clone(bounds)
	slices.SortStableFunc(bounds, func(a, b Bound) int {
		if c := strings.Compare(a.Binding.Host, b.Binding.Host); c != 0 {
			return c
		}
		if c := a.Binding.Compare(b.Binding); c != 0 {
			return c
		}
		return strings.Compare(a.Profile, b.Profile)
	})
	var t Hosts
	known := map[string]int{}
	for _, b := range bounds {
		n, ok := known[b.Profile]
		if !ok {
			n = len(known)
			known[b.Profile] = n
			t.profiles = appendUint32(t.profiles, len(t.blob))
			for _, s := range []string{b.Profile, b.SessionID, b.Username} {
				t.blob = appendString(t.blob, s)
			}
			t.blob = appendUint64(t.blob, uint64(b.MinTTL))
		}
		t.rows = appendUint32(t.rows, len(t.blob))
		for _, s := range []string{b.Binding.Host, b.Binding.Port, b.Binding.Path, b.Binding.Kind, b.Binding.User} {
			t.blob = appendString(t.blob, s)
		}
		loopback := byte(0)
		if b.Binding.Loopback {
			loopback = 1
		}
		t.blob = appendUint32(append(t.blob, loopback), n)
	}
	return t
}

// Match gives the binding that covers h, of profile's only where one is named: none when nothing covers it, two when two
// profiles bind the same place and mean different credentials.
func (t Hosts) Match(h profiles.Host, profile string) []Bound {
	if found := t.matchAt(h.Name, h, profile); found != nil {
		return found
	}
	for i := range len(h.Name) {
		if h.Name[i] != '.' {
			continue
		}
		if found := t.matchAt("*"+h.Name[i:], h, profile); found != nil {
			return found
		}
	}
	return nil
}

// matchAt looks among the rows of one host, exact or wildcard. They stand in the order in which they win.
func (t Hosts) matchAt(host string, h profiles.Host, profile string) []Bound {
	var won []Bound
	for i := t.search(host); i < t.rows.len() && string(t.host(i)) == host; i++ {
		b := t.row(i)
		switch {
		case profile != "" && b.Profile != profile || !b.Binding.Match(h):
		case won == nil:
			won = []Bound{b}
		case b.Binding.Compare(won[0].Binding) != 0:
			return won
		case !b.same(won[0]):
			return append(won, b)
		}
	}
	return won
}

// search gives the first row whose host is not below the one that is wanted.
func (t Hosts) search(host string) int {
	low, high := 0, t.rows.len()
	for low < high {
		middle := int(uint(low+high) >> 1)
		if string(t.host(middle)) < host {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// Binds reports whether the profile binds any host.
func (t Hosts) Binds(profile string) bool {
	for i := range t.profiles.len() {
		d := t.decoder(t.profiles.at(i))
		if string(d.bytes()) == profile {
			return true
		}
	}
	return false
}

// All gives every binding, by host.
func (t Hosts) All() iter.Seq[Bound] {
	return func(yield func(Bound) bool) {
		for i := range t.rows.len() {
			if !yield(t.row(i)) {
				return
			}
		}
	}
}

// host is that of row i, not copied.
func (t Hosts) host(i int) []byte {
	d := t.decoder(t.rows.at(i))
	return d.bytes()
}

func (t Hosts) row(i int) Bound {
	var b Bound
	d := t.decoder(t.rows.at(i))
	for _, s := range []*string{&b.Binding.Host, &b.Binding.Port, &b.Binding.Path, &b.Binding.Kind, &b.Binding.User} {
		*s = d.string()
	}
	b.Binding.Loopback = d.byte() == 1
	if n := int(number(d.take(4))); n < t.profiles.len() {
		d := t.decoder(t.profiles.at(n))
		b.Profile, b.SessionID, b.Username = d.string(), d.string(), d.string()
		b.MinTTL = time.Duration(d.uint64())
	}
	return b
}

// decoder reads from an offset on; one that leads out of the table gives nothing.
func (t Hosts) decoder(at int) decoder {
	if at < 0 || at > len(t.blob) {
		return decoder{short: true}
	}
	return decoder{rest: t.blob[at:]}
}

// Shared gives a binding, of profile's only where one is named, whose token is that of every other: none where nothing is bound,
// two where they differ.
func (t Hosts) Shared(profile string) []Bound {
	var found []Bound
	for b := range t.All() {
		switch {
		case profile != "" && b.Profile != profile:
		case found == nil:
			found = []Bound{b}
		case !b.shares(found[0]):
			return append(found, b)
		}
	}
	return found
}

// shares reports whether two bindings give the same token: what is derived for a place is that place's only.
func (b Bound) shares(o Bound) bool {
	use := token.Use(b.Binding.Kind)
	return b.SessionID == o.SessionID && b.Binding.Kind == o.Binding.Kind && (use == token.UseID || use == token.UseAccess || b.Binding == o.Binding)
}

// Listed gives each place that is bound by its whole name, of profile's only where one is named, with the binding that wins
// for it: no wildcard, and nothing that two profiles disagree on.
func (t Hosts) Listed(profile string) iter.Seq2[Bound, profiles.Host] {
	return func(yield func(Bound, profiles.Host) bool) {
		var before profiles.Host
		for b := range t.All() {
			h := b.Binding.At("https")
			if h == before || strings.HasPrefix(h.Name, "*") {
				continue
			}
			before = h
			if won := t.Match(h, profile); len(won) == 1 && !yield(won[0], h) {
				return
			}
		}
	}
}

const (
	hostsPrefix = "h-"
	hostsMagic  = "cchh"
	// hostsLimit holds some ten thousand bindings.
	hostsLimit = 1 << 20
)

// LoadHosts returns the table of the default files, where one is kept and still holds.
func LoadHosts(folder, credentials, config string) (Hosts, bool) {
	data, ok := read(fileOf(folder, hostsPrefix, credentials, config), hostsLimit)
	if !ok {
		return Hosts{}, false
	}
	files, consulted, t, ok := decodeHosts(data)
	if !ok || files != [2]string{credentials, config} || !hold(consulted) {
		return Hosts{}, false
	}
	return t, true
}

// SaveHosts keeps the table. As Save, it does nothing where a consulted file is younger than two seconds at now.
func SaveHosts(folder, credentials, config string, consulted []profiles.FileStamp, t Hosts, now time.Time) error {
	if len(consulted) == 0 || len(consulted) > stampsLimit || !settled(consulted, now) {
		return nil
	}
	data := encodeHosts([2]string{credentials, config}, consulted, t)
	if len(data) > hostsLimit {
		return nil // LoadHosts would refuse it
	}
	return keepFile(fileOf(folder, hostsPrefix, credentials, config), data)
}

// The file of a table is framed as that of an answer, with another checksum at its end; inside are the names of the two files, the stamps, the offsets of
// profiles and of rows, each with their number before them, and what they point into: profiles (name, session id, user
// name, least life) and rows (host, port, path, kind, user, loopback, number of the profile).
func encodeHosts(files [2]string, consulted []profiles.FileStamp, t Hosts) []byte {
	b := append([]byte(hostsMagic), format, minReader)
	for _, s := range files {
		b = appendString(b, s)
	}
	b = appendStamps(b, consulted)
	for _, o := range []offsets{t.profiles, t.rows} {
		b = append(appendUint32(b, o.len()), o...)
	}
	b = append(b, t.blob...)
	return append(b, quickSum(b)...)
}

// decodeHosts answers false for anything odd. The table points into data.
func decodeHosts(data []byte) (files [2]string, consulted []profiles.FileStamp, t Hosts, ok bool) {
	d, ok := open(data, hostsMagic, quickSum)
	if !ok {
		return files, nil, t, false
	}
	for i := range files {
		files[i] = d.string()
	}
	consulted = d.stamps()
	t.profiles, t.rows = d.offsets(), d.offsets()
	t.blob = d.rest
	return files, consulted, t, !d.short
}

// quickSum is a CRC: SHA-256 over the table of 500 profiles would take longer than all else of a warm answer.
func quickSum(b []byte) []byte { return appendUint64(nil, uint64(crc32.ChecksumIEEE(b))) }

func (d *decoder) offsets() offsets { return d.take(4 * number(d.take(4))) }

// bytes is a string that is not copied.
func (d *decoder) bytes() []byte { return d.take(number(d.take(4))) }

func appendUint32(b []byte, n int) []byte {
	return append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
}
