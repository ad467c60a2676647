package profileindex

import (
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

func bound(profile, session, host, path, kind string) Bound {
	return Bound{Binding: profiles.Binding{Host: host, Path: path, Kind: kind}, Profile: profile, SessionID: session}
}

var table = []Bound{
	bound("b", "s1", "git.example.com", "", "id"),
	bound("a", "s1", "git.example.com", "", "id"),
	bound("a", "s1", "git.example.com", "/team", "access"),
	bound("c", "s2", "two.example.com", "", "id"),
	bound("d", "s3", "two.example.com", "", "id"),
	bound("c", "s2", "kinds.example.com", "", "id"),
	bound("e", "s2", "kinds.example.com", "", "access"),
	bound("d", "s3", "*.example.com", "", "access"),
	bound("d", "s3", "*.deep.example.com", "", "id"),
	{Binding: profiles.Binding{Host: "127.0.0.1", Port: "8443", Kind: "id", User: "u", Loopback: true}, Profile: "f", SessionID: "s4", Username: "bob", MinTTL: time.Minute},
}

func TestHostsMatch(t *testing.T) {
	for _, test := range []struct {
		url, profile string
		want         []int // of table
	}{
		{"git.example.com", "", []int{1}}, // a and b mean the same session: the first by name
		{"git.example.com", "b", []int{0}},
		{"git.example.com/team/x", "", []int{2}},
		{"git.example.com/team/x", "b", []int{0}},
		{"git.example.com", "d", []int{7}}, // restricted to d, its wildcard is what it has
		{"two.example.com", "", []int{3, 4}},
		{"two.example.com", "d", []int{4}},
		{"kinds.example.com", "", []int{5, 6}},
		{"x.example.com", "", []int{7}},
		{"x.deep.example.com", "", []int{8}},
		{"deep.example.com", "", []int{7}},
		{"example.com", "", nil},
		{"xexample.com", "", nil},
		{"git.example.com.evil.example", "", nil},
		{"git.example.com:8443", "", nil},
		{"http://git.example.com", "", nil},
		{"http://127.0.0.1:8443", "", []int{9}},
		{"127.0.0.1:8443", "", []int{9}},
		{"127.0.0.1", "", nil},
		{"git.example.com", "none", nil},
	} {
		h, err := profiles.ParseHost(test.url)
		if err != nil {
			t.Fatal(err)
		}
		var want []Bound
		for _, i := range test.want {
			want = append(want, table[i])
		}
		if got := NewHosts(table).Match(h, test.profile); !reflect.DeepEqual(got, want) {
			t.Errorf("%s of %q: %+v, want %+v", test.url, test.profile, got, want)
		}
	}
	if NewHosts(table).Binds("none") || !NewHosts(table).Binds("e") || (Hosts{}).Binds("") || (Hosts{}).Match(profiles.Host{}, "") != nil {
		t.Error("wrong about who binds anything")
	}
}

func TestHostsShared(t *testing.T) {
	for profile, want := range map[string][]int{"": {9, 7}, "a": {1, 2}, "b": {0}, "c": {5}, "d": {8, 7}, "f": {9}, "none": nil} {
		got := NewHosts(table).Shared(profile)
		if len(got) != len(want) {
			t.Errorf("%q: %+v", profile, got)
			continue
		}
		for i, n := range want {
			if profile != "" && got[i].Profile != profile || len(got) == 1 && (got[i].SessionID != table[n].SessionID || got[i].Binding.Kind != table[n].Binding.Kind) {
				t.Errorf("%q: %+v, want %+v", profile, got[i], table[n])
			}
		}
	}
}

// What AWS's own services take is made for one place, so that another place of the same kind shares nothing.
func TestDerivedIsNotShared(t *testing.T) {
	one, two := bound("a", "s1", "1.dkr.example", "", "ecr"), bound("b", "s1", "2.dkr.example", "", "ecr")
	if got := NewHosts([]Bound{one, two}).Shared(""); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	if got := NewHosts([]Bound{one, one}).Shared(""); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestHostsListed(t *testing.T) {
	var got []string
	for b, h := range NewHosts(table).Listed("") {
		got = append(got, h.Authority()+h.Path+" "+b.SessionID)
	}
	want := []string{"127.0.0.1:8443 s4", "git.example.com/team s1", "git.example.com s1"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Property: the table finds what a look at every binding finds.
func TestHostsMatchIsTheLongestOfAll(t *testing.T) {
	hosts := []string{"a.x.y", "b.x.y", "*.x.y", "*.a.x.y", "x.y", "127.0.0.1", "*.y.z"}
	asked := []string{"a.x.y", "c.x.y", "q.a.x.y", "x.y", "127.0.0.1", "y.z", "r.y.z"}
	paths := []string{"", "/p", "/p/q", "/r"}
	ports := []string{"", "443", "8443"}
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	for range 3000 {
		var bounds []Bound
		for range r.IntN(12) {
			n := r.IntN(3)
			b := Bound{Binding: profiles.Binding{Host: pick(hosts), Port: pick(ports), Path: pick(paths), Kind: pick([]string{"id", "access"})}, Profile: strconv.Itoa(n), SessionID: strconv.Itoa(n / 2)}
			b.Binding.Loopback = b.Binding.Host == "127.0.0.1"
			bounds = append(bounds, b)
		}
		h := profiles.Host{Scheme: pick([]string{"https", "http"}), Name: pick(asked), Port: pick(ports), Path: pick(paths) + "/z"}
		only := pick([]string{"", "0", "1"})
		var best []Bound
		for _, b := range bounds {
			if only != "" && b.Profile != only || !b.Binding.Match(h) {
				continue
			}
			if len(best) > 0 {
				switch c := b.Binding.Compare(best[0].Binding); {
				case c < 0:
					best = nil
				case c > 0:
					continue
				}
			}
			best = append(best, b)
		}
		differ := slices.ContainsFunc(best, func(b Bound) bool { return !b.same(best[0]) })
		got := NewHosts(bounds).Match(h, only)
		if min(len(best), 1) != min(len(got), 1) || differ != (len(got) == 2) {
			t.Fatalf("%+v of %q in %+v:\n%+v, want of %+v", h, only, bounds, got, best)
		}
		for _, b := range got {
			if !slices.Contains(best, b) {
				t.Fatalf("%+v in %+v: %+v is not the longest", h, bounds, b)
			}
		}
	}
}

func TestHostsAreKept(t *testing.T) {
	s := newSetup(t)
	load := func() (Hosts, bool) { return LoadHosts(s.folder, s.credentials, s.config) }
	if _, ok := load(); ok {
		t.Fatal("a table before any was kept")
	}
	save := func(now time.Time) {
		t.Helper()
		if err := SaveHosts(s.folder, s.credentials, s.config, s.consulted, NewHosts(table), now); err != nil {
			t.Fatal(err)
		}
	}
	save(time.Now())
	if _, ok := load(); ok {
		t.Error("a table of files that were just written")
	}
	save(s.later)
	got, ok := load()
	if !ok {
		t.Fatal("nothing was kept")
	}
	if all := slices.Collect(got.All()); len(all) != len(table) || !slices.ContainsFunc(all, func(b Bound) bool { return b == table[9] }) {
		t.Errorf("%+v", all)
	}
	if _, ok := LoadHosts(s.folder, s.config, s.credentials); ok {
		t.Error("a table of other files")
	}
	if err := os.WriteFile(s.config, []byte("[profile x]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := load(); ok {
		t.Error("a table of files that have changed")
	}
}

func many(n int) []Bound {
	var bounds []Bound
	for i := range n {
		p := strconv.Itoa(i)
		bounds = append(bounds, bound("profile"+p, "session"+p, "git"+p+".example.com", "", "id"), bound("profile"+p, "session"+p, "*.r"+p+".example.com", "", "access"))
	}
	return bounds
}

// 500 profiles cost no allocation more than one.
func TestHostsOfManyProfilesCostNoAllocation(t *testing.T) {
	cost := func(n int) float64 {
		data := encodeHosts([2]string{"c", "f"}, []profiles.FileStamp{{Path: "f"}}, NewHosts(many(n)))
		h := profiles.Host{Scheme: "https", Name: "git" + strconv.Itoa(n-1) + ".example.com"}
		return testing.AllocsPerRun(20, func() {
			_, _, hosts, ok := decodeHosts(data)
			if !ok || len(hosts.Match(h, "")) != 1 || hosts.Match(profiles.Host{Scheme: "https", Name: "github.com"}, "") != nil {
				t.Fatal("not found")
			}
		})
	}
	if one, all := cost(1), cost(500); all > one {
		t.Errorf("%v allocations with one profile, %v with 500", one, all)
	}
}

func BenchmarkHosts500(b *testing.B) {
	data := encodeHosts([2]string{"c", "f"}, []profiles.FileStamp{{Path: "f"}}, NewHosts(many(500)))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		_, _, hosts, _ := decodeHosts(data)
		hosts.Match(profiles.Host{Scheme: "https", Name: "git499.example.com"}, "")
	}
}

// Property: no file makes the reader panic or take much memory, and what is read is what was written.
func FuzzDecodeHosts(f *testing.F) {
	good := encodeHosts([2]string{"c", "f"}, []profiles.FileStamp{{Path: "f", Size: 1}}, NewHosts(table))
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(hostsMagic + "\x01\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, d := range [][]byte{data, append(slices.Clone(data), quickSum(data)...)} { // also what a checksum vouches for
			files, consulted, hosts, ok := decodeHosts(d)
			if !ok {
				continue
			}
			for b := range hosts.All() {
				hosts.Match(profiles.Host{Scheme: "https", Name: b.Binding.Host}, b.Profile)
			}
			hosts.Match(profiles.Host{Scheme: "https", Name: "git.example.com"}, "")
			hosts.Binds("x")
			_, again, same, ok := decodeHosts(encodeHosts(files, consulted, hosts))
			if !ok || !reflect.DeepEqual(again, consulted) || !slices.Equal(slices.Collect(same.All()), slices.Collect(hosts.All())) {
				t.Fatal("written anew it is something else")
			}
		}
	})
}
