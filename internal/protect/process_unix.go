//go:build unix && !linux

package protect

func process() { limitCore() }
