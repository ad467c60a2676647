package setup

// syncFolder does nothing: Windows has no fsync of folders; the file system's journal orders the rename.
func syncFolder(string) error { return nil }
