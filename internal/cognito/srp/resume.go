package srp

import (
	"errors"
	"math/big"
)

// Private is the value that proves A to be ours, for Resume in another process. It is as secret as the password until the
// challenge is answered, and of no use after that.
func (h *Handshake) Private() []byte { return h.private.Bytes() }

// Resume goes on with the handshake that gave private.
func Resume(private []byte) (*Handshake, error) {
	a := new(big.Int).SetBytes(private)
	if a.BitLen() != exponentBytes*8+1 {
		return nil, errors.New("this is no private value of a handshake")
	}
	return from(a), nil
}
