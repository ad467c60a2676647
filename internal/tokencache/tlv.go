package tokencache

import "time"

// Entries of tag, length, value: a reader passes over tags that it does not know and can write them back as they stood.
// All numbers are big-endian. (encoding/binary would link reflect, which the front must not pay for.)

func appendUint16(b []byte, n uint16) []byte { return append(b, byte(n>>8), byte(n)) }

func appendUint32(b []byte, n uint32) []byte {
	return append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func appendUint64(b []byte, n uint64) []byte {
	return appendUint32(appendUint32(b, uint32(n>>32)), uint32(n))
}

func uint16At(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }

func uint32At(b []byte) uint32 { return uint32(uint16At(b))<<16 | uint32(uint16At(b[2:])) }

func uint64At(b []byte) uint64 { return uint64(uint32At(b))<<32 | uint64(uint32At(b[4:])) }

const entryHead = 2 + 4

// appendEntry writes one entry.
func appendEntry[T string | []byte](b []byte, tag uint16, value T) []byte {
	b = appendUint16(b, tag)
	b = appendUint32(b, uint32(len(value)))
	return append(b, value...)
}

// appendText writes an entry only for a text that is not empty: a missing one reads as empty.
func appendText(b []byte, tag uint16, value string) []byte {
	if value == "" {
		return b
	}
	return appendEntry(b, tag, value)
}

// entries calls each for every entry of b; whole is the entry with its head. It is false when b does not end with an entry's
// end, or when each says false.
func entries(b []byte, each func(tag uint16, value, whole []byte) bool) bool {
	for len(b) > 0 {
		if len(b) < entryHead {
			return false
		}
		length := uint64(uint32At(b[2:]))
		if length > uint64(len(b)-entryHead) {
			return false
		}
		end := entryHead + int(length)
		if !each(uint16At(b), b[entryHead:end], b[:end]) {
			return false
		}
		b = b[end:]
	}
	return true
}

// timeSize is the length of a time: seconds since 1970 (signed) and nanoseconds.
const timeSize = 8 + 4

func appendTime(b []byte, t time.Time) []byte {
	b = appendUint64(b, uint64(t.Unix()))
	return appendUint32(b, uint32(t.Nanosecond()))
}

// timeAt gives the time in UTC; the zero time comes back as the zero time.
func timeAt(b []byte) time.Time {
	t := time.Unix(int64(uint64At(b)), int64(uint32At(b[8:]))).UTC()
	if t.IsZero() {
		return time.Time{}
	}
	return t
}
