package tokencache

import (
	"slices"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// The most entries of a kind that a hot record keeps.
const (
	maxCredentials = 32
	maxRejected    = 32
)

const (
	tagAccess uint16 = iota + 1
	tagAccessLife
	tagID
	tagIDLife
	tagCredentials
	tagRejected
	tagDeath
	tagAccessSkew
	tagIDSkew
)

// Tags of the entries inside: AWS credentials, a rejected token, a death.
const (
	tagRecord uint16 = iota + 1
	tagAccessKeyID
	tagSecretAccessKey
	tagSessionToken
	tagAccountID
	tagCredentialsLife
	tagCredentialsSkew

	tagHash       uint16 = 1
	tagRejectedAt uint16 = 2

	tagReason uint16 = 1
	tagDiedAt uint16 = 2
)

const lifeSize = 2*timeSize + 8

// encodeHot writes h, and extra behind it. What is over the limits is left out, the oldest first.
func encodeHot(h Hot, extra token.Secret) []byte {
	b := appendToken(nil, tagAccess, tagAccessLife, tagAccessSkew, h.Tokens.Access)
	b = appendToken(b, tagID, tagIDLife, tagIDSkew, h.Tokens.ID)
	for _, c := range newest(h.Credentials, maxCredentials, issued) {
		b = appendEntry(b, tagCredentials, encodeCredentials(c))
	}
	for _, r := range newest(h.Rejected, maxRejected, func(r Rejected) time.Time { return r.At }) {
		e := appendEntry(nil, tagHash, r.Hash[:])
		e = appendEntry(e, tagRejectedAt, appendTime(nil, r.At))
		b = appendEntry(b, tagRejected, append(e, r.extra.Reveal()...))
	}
	if h.Dead != nil {
		e := appendText(nil, tagReason, h.Dead.Reason)
		e = appendEntry(e, tagDiedAt, appendTime(nil, h.Dead.At))
		b = appendEntry(b, tagDeath, append(e, h.Dead.extra.Reveal()...))
	}
	return append(b, extra.Reveal()...)
}

func appendToken(b []byte, value, life, skew uint16, t token.Token) []byte {
	b = appendText(b, value, t.Value.Reveal())
	return appendLife(b, life, skew, t.Lifetime)
}

// appendLife leaves out the zero lifetime, and a skew of nothing. The skew has an entry of its own, which programs that do
// not know it pass over.
func appendLife(b []byte, tag, skew uint16, l token.Lifetime) []byte {
	if l == (token.Lifetime{}) {
		return b
	}
	if l.Skew != 0 {
		b = appendEntry(b, skew, appendUint64(nil, uint64(l.Skew)))
	}
	v := appendTime(nil, l.Issued)
	v = appendTime(v, l.Expires)
	return appendEntry(b, tag, appendUint64(v, uint64(l.Boot)))
}

func encodeCredentials(c Credentials) []byte {
	b := appendText(nil, tagRecord, c.Record)
	b = appendText(b, tagAccessKeyID, c.AWS.AccessKeyID)
	b = appendText(b, tagSecretAccessKey, c.AWS.SecretAccessKey.Reveal())
	b = appendText(b, tagSessionToken, c.AWS.SessionToken.Reveal())
	b = appendText(b, tagAccountID, c.AWS.AccountID)
	b = appendLife(b, tagCredentialsLife, tagCredentialsSkew, c.AWS.Lifetime)
	return append(b, c.extra.Reveal()...)
}

func issued(c Credentials) time.Time { return c.AWS.Lifetime.Issued }

// newest keeps the n youngest of list, in the order of list.
func newest[T any](list []T, n int, age func(T) time.Time) []T {
	if len(list) <= n {
		return list
	}
	list = slices.Clone(list)
	for len(list) > n {
		oldest := 0
		for i := range list {
			if age(list[i]).Before(age(list[oldest])) {
				oldest = i
			}
		}
		list = slices.Delete(list, oldest, oldest+1)
	}
	return list
}

// decodeHot fills s from the plaintext of its hot record. Nothing of s points into plain afterwards.
func (s *Session) decodeHot(plain []byte) error {
	h, extra, ok := decodeHot(plain)
	if !ok {
		return errRecord
	}
	s.Hot, s.extra = h, extra
	return nil
}

func decodeHot(plain []byte) (h Hot, extra token.Secret, ok bool) {
	var seen [tagIDSkew + 1]bool
	ok = entries(plain, func(tag uint16, value, whole []byte) bool {
		if int(tag) < len(seen) && tag != tagCredentials && tag != tagRejected {
			if seen[tag] {
				return false
			}
			seen[tag] = true
		}
		switch tag {
		case tagAccess:
			h.Tokens.Access.Value = token.NewSecret(string(value))
		case tagAccessLife:
			return decodeLife(value, &h.Tokens.Access.Lifetime)
		case tagID:
			h.Tokens.ID.Value = token.NewSecret(string(value))
		case tagIDLife:
			return decodeLife(value, &h.Tokens.ID.Lifetime)
		case tagAccessSkew:
			return decodeSkew(value, &h.Tokens.Access.Lifetime)
		case tagIDSkew:
			return decodeSkew(value, &h.Tokens.ID.Lifetime)
		case tagCredentials:
			c, ok := decodeCredentials(value)
			h.Credentials = append(h.Credentials, c)
			return ok
		case tagRejected:
			r, ok := decodeRejected(value)
			h.Rejected = append(h.Rejected, r)
			return ok
		case tagDeath:
			d, ok := decodeDeath(value)
			h.Dead = &d
			return ok
		default:
			extra = also(extra, whole)
		}
		return true
	})
	return h, extra, ok
}

// also keeps one more entry that this version does not know.
func also(extra token.Secret, whole []byte) token.Secret {
	return token.NewSecret(extra.Reveal() + string(whole))
}

func decodeLife(b []byte, l *token.Lifetime) bool {
	if len(b) != lifeSize {
		return false
	}
	l.Issued, l.Expires, l.Boot = timeAt(b), timeAt(b[timeSize:]), time.Duration(uint64At(b[2*timeSize:]))
	return true
}

func decodeSkew(b []byte, l *token.Lifetime) bool {
	if len(b) != 8 {
		return false
	}
	l.Skew = time.Duration(uint64At(b))
	return true
}

func decodeCredentials(b []byte) (c Credentials, ok bool) {
	ok = entries(b, func(tag uint16, value, whole []byte) bool {
		switch tag {
		case tagRecord:
			c.Record = string(value)
		case tagAccessKeyID:
			c.AWS.AccessKeyID = string(value)
		case tagSecretAccessKey:
			c.AWS.SecretAccessKey = token.NewSecret(string(value))
		case tagSessionToken:
			c.AWS.SessionToken = token.NewSecret(string(value))
		case tagAccountID:
			c.AWS.AccountID = string(value)
		case tagCredentialsLife:
			return decodeLife(value, &c.AWS.Lifetime)
		case tagCredentialsSkew:
			return decodeSkew(value, &c.AWS.Lifetime)
		default:
			c.extra = also(c.extra, whole)
		}
		return true
	})
	return c, ok
}

func decodeRejected(b []byte) (r Rejected, ok bool) {
	ok = entries(b, func(tag uint16, value, whole []byte) bool {
		switch tag {
		case tagHash:
			return copy(r.Hash[:], value) == len(value) && len(value) == len(r.Hash)
		case tagRejectedAt:
			return decodeTime(value, &r.At)
		default:
			r.extra = also(r.extra, whole)
		}
		return true
	})
	return r, ok
}

func decodeDeath(b []byte) (d Death, ok bool) {
	ok = entries(b, func(tag uint16, value, whole []byte) bool {
		switch tag {
		case tagReason:
			d.Reason = string(value)
		case tagDiedAt:
			return decodeTime(value, &d.At)
		default:
			d.extra = also(d.extra, whole)
		}
		return true
	})
	return d, ok
}

func decodeTime(b []byte, t *time.Time) bool {
	if len(b) != timeSize {
		return false
	}
	*t = timeAt(b)
	return true
}
