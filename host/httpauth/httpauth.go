// Package httpauth gives bound hosts their credential with each request of net/http.
//
// It guarantees that a credential goes to a host only that a profile binds (cognito_hosts); any other host gets the request as
// it is, and so does a request that has an Authorization already. After a 401 it asks for a newer credential and sends the
// request once more. It keeps nothing and never asks a person.
package httpauth

import (
	"errors"
	"io"
	"net/http"

	"github.com/cognito-credhelper/cognito-credhelper/plugin"
)

// Transport is an http.RoundTripper. Safe for concurrent use where Base is.
type Transport struct {
	// From is a *host.Client, or any other provider. Required.
	From plugin.HostCredentialProvider
	// Selection says which profiles may answer; with an empty Profile every one.
	Selection plugin.Selection
	// Base sends the requests; nil means http.DefaultTransport.
	Base http.RoundTripper
}

var _ http.RoundTripper = (*Transport)(nil)

// RoundTrip sends the request with the credential of its host, where there is one. A request with a body is sent again only if
// it has GetBody. Errors of the plugin are *plugin.Error; the request was not sent then.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") != "" {
		return t.base().RoundTrip(r)
	}
	got, err := t.credential(r, plugin.Secret{})
	if errors.Is(err, plugin.ErrNotBound) {
		return t.base().RoundTrip(r)
	}
	if err != nil {
		closeBody(r)
		return nil, err
	}
	answer, err := t.base().RoundTrip(with(r, got))
	if err != nil || answer.StatusCode != http.StatusUnauthorized || r.Body != nil && r.Body != http.NoBody && r.GetBody == nil {
		return answer, err
	}
	newer, err := t.credential(r, got)
	if err != nil || newer.Reveal() == got.Reveal() {
		return answer, nil // the 401 says more than an error of ours would
	}
	again := with(r, newer)
	if r.GetBody != nil {
		if again.Body, err = r.GetBody(); err != nil {
			return answer, nil
		}
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be used again
	answer.Body.Close()
	return t.base().RoundTrip(again)
}

func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

// credential asks the plugin; rejected is what the host refused, or nothing.
func (t *Transport) credential(r *http.Request, rejected plugin.Secret) (plugin.Secret, error) {
	at := *r.URL
	at.User, at.RawQuery, at.Fragment = nil, "", "" // which say nothing about the host, and may be secret
	ask := plugin.GetCredentialForHostRequest{Selection: t.Selection, URL: at.String()}
	if !rejected.Empty() {
		ask.Rejected = plugin.Fingerprint(rejected)
	}
	got, err := t.From.GetCredentialForHost(r.Context(), ask)
	return got.Secret, err
}

// with is the request with a credential; a RoundTripper must not change the one that it was given.
func with(r *http.Request, secret plugin.Secret) *http.Request {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+secret.Reveal())
	return r
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}
