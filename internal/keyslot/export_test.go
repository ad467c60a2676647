package keyslot

// Sealer is sealer, for fakes of DPAPI.
type Sealer interface {
	Seal(plain []byte) ([]byte, error)
	Open(box []byte) ([]byte, error)
}

type sealerOf struct{ Sealer }

func (s sealerOf) seal(b []byte) ([]byte, error) { return s.Seal(b) }
func (s sealerOf) open(b []byte) ([]byte, error) { return s.Open(b) }

// OpenSealed is Open where the system seals.
func OpenSealed(folder string, s Sealer) *Slots {
	slots := Open(folder)
	slots.seal = sealerOf{s}
	return slots
}

// KeyPath is where a kind's key file is.
func (s *Slots) KeyPath(k Kind) string { return s.keyPath(k.String()) }
