// Package torture has the proofs that sessions are not lost: it kills the programs at each of their system calls, lets each
// call of the file system fail, cuts the power after each write, fills disks, drops answers, and starts hundreds at once.
//
// The tests run the programs as they are installed, front and complete program, against a sandbox on loopback. What is quick
// runs with `make test`; what needs minutes, root, ptrace, or FUSE has the build tag torture and runs with `make
// test-torture`. docs/security.md tells what is promised, and which test proves it.
package torture
