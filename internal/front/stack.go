package front

// growStack gives the calling goroutine 32 KiB of stack at once. A warm answer needs more than 4 KiB. Left alone the stack
// doubles from 2 KiB: it is copied each time, and the runtime carves each size on the way out of a block of its own and
// writes to every piece of it. Measured: 4 % of a warm answer. What is grown stays so until a garbage collection, and there
// is none in a millisecond.
//
// The size of the frame alone asks for the room; it is cleared, and so paid for, only where n is not 0.
//
//go:noinline
func growStack(n int) byte {
	if n == 0 {
		return 0
	}
	var room [20 << 10]byte
	room[n] = 1
	return room[n/2]
}
