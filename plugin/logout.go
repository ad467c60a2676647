package plugin

import "context"

// LogoutProvider ends sessions. Implementations must be safe for concurrent use.
type LogoutProvider interface {
	// Logout revokes the session's refresh token and forgets the session, also where revoking failed. Tokens that somebody
	// already has stay valid until they expire.
	Logout(ctx context.Context, r LogoutRequest) (LogoutResponse, error)
}

// LogoutRequest names a session.
type LogoutRequest struct{ Selection Selection }

// Validate reports what no plugin could take.
func (r LogoutRequest) Validate() error { return r.Selection.Validate() }

// LogoutResponse says what a logout did.
type LogoutResponse struct {
	User   string // "" where nobody was signed in, or where it cannot be read any more
	Nobody bool   // nobody was signed in
	// NotRevoked is set where the session is forgotten but could not be revoked.
	NotRevoked *Error
}
