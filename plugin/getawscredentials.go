package plugin

import (
	"context"
	"time"
)

// AWSCredentialsProvider gives temporary AWS credentials. Implementations must be safe for concurrent use.
type AWSCredentialsProvider interface {
	// GetAWSCredentials gives credentials with at least the wanted life left, exchanging an ID token where it must. Errors are
	// those of GetTokens; a profile that leads to no AWS credentials is CodeBadProfile.
	GetAWSCredentials(ctx context.Context, r GetAWSCredentialsRequest) (GetAWSCredentialsResponse, error)
}

// GetAWSCredentialsRequest names a session and, by its profile, the way to AWS.
type GetAWSCredentialsRequest struct {
	Selection Selection
	// MinTTL is the least remaining life; 0 means the profile's cognito_min_ttl, else 16 minutes or a third of the life,
	// whichever is less.
	MinTTL time.Duration
}

// Validate reports what no plugin could take.
func (r GetAWSCredentialsRequest) Validate() error {
	return first(r.Selection.Validate(), life(r.MinTTL))
}

// GetAWSCredentialsResponse has temporary AWS credentials.
type GetAWSCredentialsResponse struct {
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret
	AccountID       string    // "" where it is not known
	Expires         time.Time // by this machine's clock
}
