package keyslot

// memorySlot is the slot None. Nothing of it is ever written: key and store end with the process.
type memorySlot struct {
	key   Key
	store StoreID
}

// InMemory gives slots for sessions of which nothing is kept: whatever slot is asked for, it is None.
func InMemory() *Slots {
	m := &memorySlot{key: newKey()}
	random(m.store[:])
	return &Slots{memory: m}
}

// InMemory reports whether nothing of what these slots protect is kept.
func (s *Slots) InMemory() bool { return s.memory != nil }

func (m *memorySlot) load() (Key, error) {
	copied := *m.key.bytes() // callers wipe what they get
	return keyOf(&copied), nil
}

func (*memorySlot) save(Key) error  { return nil }
func (*memorySlot) setAside() error { return nil }
func (*memorySlot) drop() error     { return nil }
