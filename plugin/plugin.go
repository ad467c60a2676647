// Package plugin is the contract between a host application and a plugin that gives credentials of Amazon Cognito sessions:
// small Go interfaces, one for each operation, and both ends of the wire that carries them.
//
// A host written in Go uses package host, which starts the plugin and gives a [Provider]. A program that wants to be such a
// plugin implements [TokenProvider], and whatever else it can do, and calls [Serve]. The wire itself is proto/v1, which any
// language can speak.
//
// # What it guarantees
//
// An error keeps its [Code] across the wire, wrapped or not, and a code that a side does not know is CodeUnknown, never
// success. No answer has the refresh token of a session in it, except those of the two raw operations, which give what
// Cognito gave to that very call. Every message is bounded, and so is the time of every call. Values that are secret print
// as a fixed word.
//
// # What it never does
//
// It starts no process and looks for none: that is package host. It decides nothing about tokens.
package plugin

// Provider is everything that the cognito-credhelper plugin can do. Each of its parts can be implemented alone: see [Serve].
// Implementations must be safe for concurrent use.
type Provider interface {
	TokenProvider
	AWSCredentialsProvider
	HostCredentialProvider
	LoginProvider
	LogoutProvider
	StatusProvider
	ProfileLister
	UserPoolProvider
}

// Selection says which session is meant. The zero value is the default profile's.
type Selection struct {
	// Profile is the profile's name; "" means AWS_PROFILE of the plugin's environment, else "default".
	Profile string
	// Location is the only file to search for the profile, an absolute path; "" means the AWS tools' own two files.
	Location string
	// Username is another user than the profile's own; "" means the profile's.
	Username string
}

// Validate reports what no plugin could take.
func (s Selection) Validate() error {
	return first(
		plainText("the profile's name", s.Profile, maxName),
		absolute("the profile's location", s.Location),
		plainText("the user name", s.Username, maxName),
	)
}
