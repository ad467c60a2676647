// Package version knows which version this program is, so that the front and the complete program can tell each other.
//
// It never reads a file and never uses the network.
package version

// Contract is the version of the hand-over between front and complete program.
const Contract = 1

// number is set at link time: -ldflags '-X .../internal/version.number=1.2.3'.
var number = "0.0.0-dev"

// Number is this program's version.
func Number() string { return number }
