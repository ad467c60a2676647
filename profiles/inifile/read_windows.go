package inifile

import "io/fs"

const openFlags = 0

// modeBitsCount is false: Windows has no such bits, the access control of the user's folder decides there.
const modeBitsCount = false

func ownerTrusted(fs.FileInfo) bool { return true }
