package userpool

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// checkSecretHash holds hash against base64(HMAC-SHA256(secret, username + client id)) for each live secret.
// The message for a mismatch depends on the operation.
func (c *Client) checkSecretHash(hash, username, mismatch string) error {
	if err := c.checkSecretSent(hash); err != nil || c.Secret == "" {
		return err
	}
	for _, secret := range []string{c.Secret, c.SecretNext} {
		if secret == "" {
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(username + c.ID))
		want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
		if subtle.ConstantTimeCompare([]byte(want), []byte(hash)) == 1 {
			return nil
		}
	}
	return errNotAuthorized(mismatch)
}

// checkSecret holds a plain ClientSecret against each live secret.
func (c *Client) checkSecret(secret string) error {
	if err := c.checkSecretSent(secret); err != nil || c.Secret == "" {
		return err
	}
	first := subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret))
	next := subtle.ConstantTimeCompare([]byte(c.SecretNext), []byte(secret))
	if first|next == 1 {
		return nil
	}
	return errNotAuthorized(c.hashMismatch())
}

func (c *Client) checkSecretSent(sent string) error {
	if c.Secret != "" && sent == "" {
		return wire.Errorf("NotAuthorizedException", "Client %s is configured for secret but secret was not received", c.ID)
	}
	if c.Secret == "" && sent != "" {
		// Assumed: the mirror image of the sentence above.
		return wire.Errorf("NotAuthorizedException", "Client %s is not configured for secret but secret was received", c.ID)
	}
	return nil
}

func (c *Client) hashMismatch() string { return "Unable to verify secret hash for client " + c.ID }
