// Package protect keeps the secrets in a process's memory from leaving it by core files and debuggers, and what it writes
// from others.
//
// It is best effort: a sandbox that forbids the calls forbids no answer. It does not protect against root.
package protect

// Process makes this process write no core file, give files that it makes to its user only, and, on Linux, refuse debuggers of
// the same user. The soft limit for core files and the umask go on to children.
func Process() { process() }
