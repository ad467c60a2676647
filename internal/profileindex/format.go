package profileindex

import (
	"crypto/sha256"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// An index file is: magic, format, the least format that a reader must know, the record, room for what later formats
// add, and the first eight bytes of the SHA-256 of all that. Numbers are little endian, strings have a 4-byte length.
// The checksum is against truncation; whoever may write the file is trusted, because it is ours alone.
const (
	magic     = "cchi"
	format    = 1
	minReader = 1
	sumSize   = 8
	// stampsLimit is more files than any profile can come from.
	stampsLimit = 16
)

// record is what one index file holds.
type record struct {
	key       key
	answer    Answer
	consulted []profiles.FileStamp
}

func encode(r record) []byte {
	b := append([]byte(magic), format, minReader)
	for _, s := range []string{r.key.name, r.key.credentials, r.key.config, r.answer.SessionID, r.answer.AWSRecord} {
		b = appendString(b, s)
	}
	b = appendUint64(b, uint64(r.answer.MinTTL))
	b = append(b, byte(len(r.consulted)))
	for _, s := range r.consulted {
		b = appendString(b, s.Path)
		absent := byte(0)
		if s.Absent {
			absent = 1
		}
		b = append(b, absent)
		for _, n := range []uint64{s.Device, s.Inode, uint64(s.Size), uint64(s.MTime), uint64(s.CTime)} {
			b = appendUint64(b, n)
		}
	}
	return append(b, checksum(b)...)
}

func checksum(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:sumSize]
}

// decode answers false for anything odd.
func decode(data []byte) (record, bool) {
	n := len(data) - sumSize
	if n < len(magic)+2 || string(data[:len(magic)]) != magic {
		return record{}, false
	}
	if string(checksum(data[:n])) != string(data[n:]) {
		return record{}, false
	}
	d := decoder{rest: data[len(magic):n]}
	if written, least := d.byte(), d.byte(); written < least || least < minReader || least > format {
		return record{}, false
	}
	var r record
	for _, s := range []*string{&r.key.name, &r.key.credentials, &r.key.config, &r.answer.SessionID, &r.answer.AWSRecord} {
		*s = d.string()
	}
	r.answer.MinTTL = time.Duration(d.uint64())
	count := int(d.byte())
	if count > stampsLimit {
		return record{}, false
	}
	for range count {
		r.consulted = append(r.consulted, d.stamp())
	}
	return r, !d.short && r.answer.SessionID != "" && r.answer.MinTTL >= 0
}

// decoder takes one thing after the other; short is set once something was missing.
type decoder struct {
	rest  []byte
	short bool
}

func (d *decoder) take(n uint64) []byte {
	if d.short || n > uint64(len(d.rest)) {
		d.short = true
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return number(b)
	}
	return 0
}

func (d *decoder) string() string {
	b := d.take(4)
	if b == nil {
		return ""
	}
	return string(d.take(number(b)))
}

func (d *decoder) stamp() profiles.FileStamp {
	s := profiles.FileStamp{Path: d.string()}
	switch d.byte() {
	case 0:
	case 1:
		s.Absent = true
	default:
		d.short = true
	}
	s.Device, s.Inode = d.uint64(), d.uint64()
	s.Size, s.MTime, s.CTime = int64(d.uint64()), int64(d.uint64()), int64(d.uint64())
	return s
}

func appendString(b []byte, s string) []byte {
	n := len(s)
	return append(append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24)), s...)
}

// The front cannot afford encoding/binary, which brings reflect along.

func appendUint64(b []byte, n uint64) []byte {
	for range 8 {
		b = append(b, byte(n))
		n >>= 8
	}
	return b
}

func number(b []byte) (n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return n
}
