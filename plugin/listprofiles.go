package plugin

import "context"

// ProfileLister names profiles. Implementations must be safe for concurrent use.
type ProfileLister interface {
	// ListProfiles names the profiles that a person can sign in to, sorted by name. A profile that is not valid is left out.
	ListProfiles(ctx context.Context, r ListProfilesRequest) (ListProfilesResponse, error)
}

// ListProfilesRequest says where to look for profiles.
type ListProfilesRequest struct {
	Location string // the only file to search, an absolute path; "" means the AWS tools' own two files
}

// Validate reports what no plugin could take.
func (r ListProfilesRequest) Validate() error {
	return absolute("the location of the profiles", r.Location)
}

// ListProfilesResponse names profiles.
type ListProfilesResponse struct{ Profiles []Profile }

// Profile is a profile that a person can sign in to.
type Profile struct {
	Name           string
	UserPoolID     string
	ClientID       string
	Region         string   // of the user pool
	Username       string   // the profile's user; "" where it names none
	AWSCredentials bool     // the profile leads to AWS credentials
	Hosts          []string // the hosts that it binds, as in cognito_hosts
}
