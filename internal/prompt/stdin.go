package prompt

import "io"

// Claim gives standard input to an option whose value is "-", before anything is read, so that two readers are told so at
// once. The error is of kind token.Usage.
func (v *Values) Claim(option, raw string) error {
	if raw == "-" && v.reader == option {
		return nil
	}
	return v.claim(option, raw)
}

// Stdin gives standard input to an option that reads it piece by piece. The error is of kind token.Usage.
func (v *Values) Stdin(option string) (io.Reader, error) { return v.stdin, v.Claim(option, "-") }
