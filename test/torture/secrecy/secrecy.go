// Package secrecy has the proofs of what others see of a session: the user's programs, another user, a keyring that is not
// there, a debugger, a disk. They need Linux, root, and programs that not every machine has, so they carry the build tag
// torture.
package secrecy
