package tokencache

import (
	"bytes"
	"crypto/sha256"

	"github.com/cognito-credhelper/cognito-credhelper/internal/keyslot"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// # The session file, format 1
//
// All numbers are big-endian and unsigned unless said otherwise. "Entries" are (tag uint16, length uint32, value) in a row.
//
//	offset   length
//	0        8       magic "ccsess\x1a\n"
//	8        2       format: 1. A higher one with min_reader 1 adds entries or a tail; it is read, and its additions are kept
//	10       2       min_reader: 1. Above 1, format 1 programs leave the file alone and ask for an upgrade
//	12       4       n, length of the header entries
//	16       n       header entries (below). They are written once, by Create, and copied as they stand by each Save
//	16+n     8       start of SHA-256 over bytes 0 to 16+n. It tells a damaged header from one that names another data key
//	24+n             hot record
//	                 cold record
//	                 tail: nothing in format 1; kept as it stands
//
// A record is (generation uint64, length uint32, box). The box is a 12-byte random nonce, the ciphertext, and the 16-byte
// tag of AES-256-GCM under the data key. Its additional data are, for
//
//	cold     bytes 0 to 24+n, "cold", generation
//	hot      bytes 0 to 24+n, "hot\x00", generation, all bytes after the hot record
//
// So each record is bound to the store, the session, the endpoint, the client, and its place; a new hot record copies the
// cold record's bytes; and one opening of the hot record, which is all that a warm caller does, vouches for every byte of
// the file. A Save always makes a new hot record. Generations begin at 1 and grow by 1 with each new record.
//
// Header entries, each at most once; 1 to 4 must be there:
//
//	1  store id, 16 bytes       4  id of the data key, 8 bytes     7  user pool id
//	2  session id, text         5  endpoint override               8  app client id
//	3  slot kind, 1 byte        6  region                          9  user name
//
// Hot entries (the plaintext of the hot record); unknown ones are kept:
//
//	1  access token              2  its lifetime
//	3  ID token                  4  its lifetime
//	5  AWS credentials, any number, as entries: 1 record key, 2 access key id, 3 secret access key, 4 session token,
//	   5 account id, 6 lifetime, 7 skew; unknown ones are kept with their entry
//	6  rejected token, any number, as entries: 1 hash (32 bytes), 2 time; likewise
//	7  death, as entries: 1 reason, 2 time; likewise
//	8  skew of the access token  9  skew of the ID token
//
// A lifetime is (issued time, expires time, boot clock at issue int64 nanoseconds). A time is (seconds since 1970 int64,
// nanoseconds uint32). A skew is the server's clock less the local one at issue (int64 nanoseconds). A text that is empty,
// and a skew of 0, has no entry.
//
// The plaintext of the cold record belongs to package tokensource. A file is at most 1 MiB.
const (
	magic     = "ccsess\x1a\n"
	format    = 1
	minReader = 1

	maxFile      = 1 << 20
	fixedSize    = 16
	checksumSize = 8
	recordHead   = 8 + 4
	boxOverhead  = 12 + 16
)

const (
	tagStore uint16 = iota + 1
	tagSession
	tagSlot
	tagKey
	tagEndpoint
	tagRegion
	tagPool
	tagClient
	tagUsername
)

// container is a session file in its parts; concatenated they are the file.
type container struct {
	head []byte // magic to checksum
	hot  record
	cold record
	tail []byte

	fields [tagUsername + 1][]byte // header entries by tag
}

type record struct {
	generation uint64
	box        []byte
}

func appendRecord(b []byte, r record) []byte {
	b = appendUint64(b, r.generation)
	b = appendUint32(b, uint32(len(r.box)))
	return append(b, r.box...)
}

func (c *container) encode() []byte {
	b := bytes.Clone(c.head)
	b = appendRecord(b, c.hot)
	return append(b, c.afterHot()...)
}

func (c *container) afterHot() []byte { return append(appendRecord(nil, c.cold), c.tail...) }

// newHead makes the header of a new session.
func newHead(store keyslot.StoreID, slot keyslot.Kind, key keyslot.KeyID, i Identity) []byte {
	b := appendEntry(nil, tagStore, store[:])
	b = appendEntry(b, tagSession, i.SessionID())
	b = appendEntry(b, tagSlot, []byte{byte(slot)})
	b = appendEntry(b, tagKey, key[:])
	b = appendText(b, tagEndpoint, i.Endpoint)
	b = appendText(b, tagRegion, i.Region)
	b = appendText(b, tagPool, i.UserPoolID)
	b = appendText(b, tagClient, i.ClientID)
	b = appendText(b, tagUsername, i.Username)
	return sealHead(format, minReader, b)
}

// sealHead puts the fixed part before the entries and the checksum behind them.
func sealHead(format, minReader uint16, entries []byte) []byte {
	b := []byte(magic)
	b = appendUint16(b, format)
	b = appendUint16(b, minReader)
	b = appendUint32(b, uint32(len(entries)))
	b = append(b, entries...)
	sum := sha256.Sum256(b)
	return append(b, sum[:checksumSize]...)
}

// parseContainer checks everything that needs no key. The parts point into data.
func parseContainer(data []byte) (container, error) {
	c, rest, err := parseFront(data)
	if err != nil {
		return c, err
	}
	err = c.parseRecords(rest)
	return c, err
}

// parseHead is parseContainer for a session that has no records yet.
func parseHead(data []byte) (container, error) {
	c, _, err := parseFront(data)
	return c, err
}

func parseFront(data []byte) (c container, rest []byte, err error) {
	if len(data) < fixedSize {
		return c, nil, errCut
	}
	if string(data[:len(magic)]) != magic {
		return c, nil, errMagic
	}
	// Before anything else: the rest may have another shape.
	if uint16At(data[10:]) > minReader {
		return c, nil, errNewer
	}
	n := uint64(uint32At(data[12:]))
	if n+checksumSize > uint64(len(data)-fixedSize) {
		return c, nil, errCut
	}
	end := fixedSize + int(n)
	sum := sha256.Sum256(data[:end])
	if !bytes.Equal(sum[:checksumSize], data[end:end+checksumSize]) {
		return c, nil, errChecksum
	}
	c.head = data[:end+checksumSize]
	if !c.parseFields(data[fixedSize:end]) {
		return c, nil, errHeader
	}
	return c, data[end+checksumSize:], nil
}

func (c *container) parseFields(b []byte) bool {
	whole := entries(b, func(tag uint16, value, _ []byte) bool {
		if int(tag) >= len(c.fields) {
			return true
		}
		if c.fields[tag] != nil {
			return false // twice
		}
		c.fields[tag] = value
		return true
	})
	return whole && len(c.fields[tagStore]) == len(keyslot.StoreID{}) && len(c.fields[tagSession]) == idLength &&
		len(c.fields[tagSlot]) == 1 && len(c.fields[tagKey]) == len(keyslot.KeyID{})
}

func (c *container) parseRecords(b []byte) error {
	var err error
	if c.hot, b, err = parseRecord(b); err != nil {
		return err
	}
	c.cold, c.tail, err = parseRecord(b)
	return err
}

func parseRecord(b []byte) (r record, rest []byte, err error) {
	if len(b) < recordHead {
		return record{}, nil, errCut
	}
	length := uint64(uint32At(b[8:]))
	if length < boxOverhead || length > uint64(len(b)-recordHead) {
		return record{}, nil, errCut
	}
	end := recordHead + int(length)
	return record{uint64At(b), b[recordHead:end]}, b[end:], nil
}

func (c *container) sessionID() string    { return string(c.fields[tagSession]) }
func (c *container) slot() keyslot.Kind   { return keyslot.Kind(c.fields[tagSlot][0]) }
func (c *container) keyID() keyslot.KeyID { return keyslot.KeyID(c.fields[tagKey]) }

func (c *container) identity() Identity {
	return Identity{
		Endpoint:   string(c.fields[tagEndpoint]),
		Region:     string(c.fields[tagRegion]),
		UserPoolID: string(c.fields[tagPool]),
		ClientID:   string(c.fields[tagClient]),
		Username:   string(c.fields[tagUsername]),
	}
}

// boundHot is the hot record's additional data, boundCold the cold one's. Their room is made in one piece, as warm callers
// wait for it.
func (c *container) boundHot(generation uint64) []byte {
	b := make([]byte, 0, len(c.head)+len(hotName)+8+recordHead+len(c.cold.box)+len(c.tail))
	b = append(b, c.head...)
	b = append(b, hotName...)
	b = appendUint64(b, generation)
	b = appendRecord(b, c.cold)
	return append(b, c.tail...)
}

func (c *container) boundCold(generation uint64) []byte {
	b := append(bytes.Clone(c.head), coldName...)
	return appendUint64(b, generation)
}

const (
	hotName  = "hot\x00"
	coldName = "cold"
)

func (c *container) openHot(key keyslot.Key) ([]byte, error) {
	return open(key, c.hot.box, c.boundHot(c.hot.generation))
}

func (c *container) openCold(key keyslot.Key) ([]byte, error) {
	return open(key, c.cold.box, c.boundCold(c.cold.generation))
}

// sealCold comes before sealHot, which vouches for it.
func (c *container) sealCold(key keyslot.Key, generation uint64, plain []byte) error {
	box, err := c.seal(key, plain, c.boundCold(generation))
	c.cold = record{generation, box}
	return err
}

func (c *container) sealHot(key keyslot.Key, generation uint64, plain []byte) error {
	box, err := c.seal(key, plain, c.boundHot(generation))
	c.hot = record{generation, box}
	return err
}

// sealWithin is sealHot for a file of at most limit bytes: where AWS credentials do not fit, the oldest go.
func (c *container) sealWithin(limit int, key keyslot.Key, generation uint64, h Hot, extra token.Secret) error {
	around := len(c.head) + recordHead + boxOverhead + len(c.afterHot())
	plain := encodeHot(h, extra)
	for around+len(plain) > limit && len(h.Credentials) > 0 {
		h.Credentials = newest(h.Credentials, len(h.Credentials)-1, issued)
		plain = encodeHot(h, extra)
	}
	defer clear(plain)
	if around+len(plain) > limit {
		return errTooLarge
	}
	return c.sealHot(key, generation, plain)
}

func open(key keyslot.Key, box, bound []byte) ([]byte, error) {
	aead, err := key.AEAD()
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, box, bound)
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

// seal checks the key first: one that was wiped meanwhile would lock everybody out.
func (c *container) seal(key keyslot.Key, plain, bound []byte) ([]byte, error) {
	if key.ID() != c.keyID() {
		return nil, errKey
	}
	aead, err := key.AEAD()
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, bound), nil
}
