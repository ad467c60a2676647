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
	b = appendStamps(b, r.consulted)
	return append(b, checksum(b)...)
}

func appendStamps(b []byte, stamps []profiles.FileStamp) []byte {
	b = append(b, byte(len(stamps)))
	for _, s := range stamps {
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
	return b
}

func checksum(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:sumSize]
}

// open checks what frames an index file, and gives what is inside; false for anything odd.
func open(data []byte, magic string, sum func([]byte) []byte) (decoder, bool) {
	n := len(data) - sumSize
	if n < len(magic)+2 || string(data[:len(magic)]) != magic {
		return decoder{}, false
	}
	if string(sum(data[:n])) != string(data[n:]) {
		return decoder{}, false
	}
	d := decoder{rest: data[len(magic):n]}
	written, least := d.byte(), d.byte()
	return d, written >= least && least >= minReader && least <= format
}

// decode answers false for anything odd.
func decode(data []byte) (record, bool) {
	d, ok := open(data, magic, checksum)
	if !ok {
		return record{}, false
	}
	var r record
	for _, s := range []*string{&r.key.name, &r.key.credentials, &r.key.config, &r.answer.SessionID, &r.answer.AWSRecord} {
		*s = d.string()
	}
	r.answer.MinTTL = time.Duration(d.uint64())
	r.consulted = d.stamps()
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

func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) stamps() []profiles.FileStamp {
	count := int(d.byte())
	if count > stampsLimit {
		d.short = true
		return nil
	}
	var stamps []profiles.FileStamp
	for range count {
		stamps = append(stamps, d.stamp())
	}
	return stamps
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
	return append(appendUint32(b, len(s)), s...)
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
