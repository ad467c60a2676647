package sts

import (
	"encoding/xml"
	"errors"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/jwt"
	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

type webIdentityResponse struct {
	XMLName  xml.Name          `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithWebIdentityResponse"`
	Result   webIdentityResult `xml:"AssumeRoleWithWebIdentityResult"`
	Metadata metadata          `xml:"ResponseMetadata"`
}

type webIdentityResult struct {
	Credentials                 xmlCredentials
	SubjectFromWebIdentityToken string
	AssumedRoleUser             assumedRoleUser
	Provider, Audience          string
}

func (s *Service) assumeRoleWithWebIdentity(r Request) (any, error) {
	wanted, err := readWanted(r)
	if err != nil {
		return nil, err
	}
	claims, err := s.webIdentity(r)
	if err != nil {
		return nil, err
	}
	role, ok := s.role(wanted.arn)
	if !ok || !role.Trusts(claims.String("aud")) {
		return nil, forbidden("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	if wanted.lifetime > role.max() {
		return nil, errAboveMaximum()
	}
	c, user := s.assume(wanted)
	return &webIdentityResponse{
		Result: webIdentityResult{
			Credentials:                 c,
			SubjectFromWebIdentityToken: claims.String("sub"),
			AssumedRoleUser:             user,
			Provider:                    strings.TrimPrefix(strings.TrimPrefix(claims.String("iss"), "https://"), "http://"),
			Audience:                    claims.String("aud"),
		},
		Metadata: metadata{wire.NewRequestID()},
	}, nil
}

// webIdentity verifies the token.
func (s *Service) webIdentity(r Request) (jwt.Claims, error) {
	token := r.Form.Get("WebIdentityToken")
	issuer := jwt.Issuer(token)
	i := slices.IndexFunc(s.trust, func(t Provider) bool { return t.Issuer(r.Endpoint) == issuer })
	switch {
	case issuer == "":
		return nil, wire.Errorf("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	case i < 0:
		return nil, wire.Errorf("InvalidIdentityToken", "No OpenIDConnect provider found in your account for %s", issuer)
	}
	claims, err := s.trust[i].VerifyToken(r.Endpoint, token)
	var expired *jwt.ExpiredError
	switch {
	case errors.As(err, &expired):
		return nil, wire.Errorf("ExpiredTokenException", "Token expired: current date/time %d must be before the expiration date/time %d", expired.Now, expired.Expiry)
	case err != nil:
		return nil, wire.Errorf("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
	case claims.String("aud") == "":
		return nil, wire.Errorf("InvalidIdentityToken", "Missing a required claim: aud")
	}
	return claims, nil
}
