package tokencache

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// golden are the files of a version 1 store, as they stand in testdata/v1.
var golden = []string{"store", "keys/file.key", "sessions/" + goldenID + ".ses"}

const goldenID = "rnnkrb7octzg2zktkgmrzuyhce"

// Format 1 stays readable for good: this store was written once, by the first version, and no test writes
// it again.
func TestGoldenStoreOfVersion1(t *testing.T) {
	s := emptyStore(t)
	for _, name := range golden {
		copyFile(t, filepath.Join("testdata", "v1", name), filepath.Join(s.folder, name))
	}
	got, cold, err := s.lock(t).Load()
	if err != nil {
		t.Fatal(err)
	}
	if got.Identity != alice || got.HotGeneration != 1 || got.ColdGeneration != 1 || !bytes.Equal(cold, sampleCold) || !reflect.DeepEqual(got.Hot, sampleHot()) {
		t.Errorf("%+v, %q", got, cold)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, b, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// Property: what decodes encodes again to something that decodes to the same, unknown entries included; and encoding is
// stable from then on.
func FuzzHot(f *testing.F) {
	f.Add(encodeHot(Hot{}, token.Secret{}))
	f.Add(encodeHot(sampleHot(), token.NewSecret(string(appendEntry(nil, 77, "unknown")))))
	f.Add(appendEntry(nil, tagRejected, appendEntry(nil, 9, "inside")))
	f.Fuzz(func(t *testing.T, plain []byte) {
		hot, extra, ok := decodeHot(plain)
		if !ok || len(hot.Credentials) > maxCredentials || len(hot.Rejected) > maxRejected {
			return
		}
		once := encodeHot(hot, extra)
		again, extraAgain, ok := decodeHot(once)
		if !ok || !reflect.DeepEqual(again, hot) || !extraAgain.Equal(extra) {
			t.Fatalf("%+v %q\nbecame %+v %q", hot, extra.Reveal(), again, extraAgain.Reveal())
		}
		if !bytes.Equal(encodeHot(again, extraAgain), once) {
			t.Fatal("the second encoding differs from the first")
		}
	})
}

// Property: what parses is made of exactly its parts: encode∘parse is the identity on whatever parses.
func FuzzContainer(f *testing.F) {
	s := newStore(f)
	f.Add(s.bytes(f))
	f.Add([]byte{})
	f.Add(sealHead(1, 1, nil))
	f.Add(sealHead(9, 2, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseContainer(data)
		if err == nil && !bytes.Equal(c.encode(), data) {
			t.Fatal("encode(parse(data)) differs from data")
		}
	})
}
