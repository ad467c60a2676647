package protect

// process has nothing to do: Windows writes no core files on its own.
func process() {}
