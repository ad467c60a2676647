package sts

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// Signature Version 4 as "Create a signed AWS API request" in the IAM User Guide describes it, checked from the server's side.
const (
	algorithm  = "AWS4-HMAC-SHA256"
	amzDate    = "20060102T150405Z"
	maxPast    = 15 * time.Minute
	maxFuture  = 5 * time.Minute
	maxPresign = 7 * 24 * time.Hour
)

// signature is what a request says about its own signing, from the Authorization header or from a presigned query.
type signature struct {
	keyID, day, region, service string
	signed                      []string // header names, lower case
	value                       string
	date                        string
	token                       string
	expires                     time.Duration // of a presigned request
	presigned                   bool
}

func forbidden(code, format string, args ...any) error {
	return &wire.Error{Status: http.StatusForbidden, Code: code, Message: fmt.Sprintf(format, args...)}
}

func readSignature(r *http.Request) (signature, error) {
	query := r.URL.Query()
	auth := r.Header.Get("Authorization")
	switch {
	case auth != "":
		return fromHeader(r, auth)
	case query.Get("X-Amz-Algorithm") == algorithm:
		return fromQuery(query)
	}
	return signature{}, forbidden("MissingAuthenticationToken", "Request is missing Authentication Token")
}

func fromHeader(r *http.Request, auth string) (signature, error) {
	rest, ok := strings.CutPrefix(auth, algorithm+" ")
	if !ok {
		return signature{}, incomplete("Authorization header requires the algorithm " + algorithm + ".")
	}
	fields := map[string]string{}
	for _, part := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	s := signature{value: fields["Signature"], date: r.Header.Get("X-Amz-Date"), token: r.Header.Get("X-Amz-Security-Token")}
	return s.with(fields["Credential"], fields["SignedHeaders"])
}

func fromQuery(q url.Values) (signature, error) {
	n, err := strconv.Atoi(q.Get("X-Amz-Expires"))
	if err != nil || n < 1 || time.Duration(n)*time.Second > maxPresign {
		return signature{}, incomplete("X-Amz-Expires must be between 1 and 604800 seconds.")
	}
	s := signature{value: q.Get("X-Amz-Signature"), date: q.Get("X-Amz-Date"), token: q.Get("X-Amz-Security-Token"),
		expires: time.Duration(n) * time.Second, presigned: true}
	return s.with(q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"))
}

func (s signature) with(credential, signedHeaders string) (signature, error) {
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return s, incomplete("Credential must have exactly 5 slash-delimited elements ending in aws4_request.")
	}
	s.keyID, s.day, s.region, s.service = scope[0], scope[1], scope[2], scope[3]
	s.signed = strings.Split(strings.ToLower(signedHeaders), ";")
	if s.value == "" || signedHeaders == "" || s.date == "" {
		return s, incomplete("Signature, SignedHeaders, and X-Amz-Date are all required.")
	}
	return s, nil
}

func incomplete(message string) error {
	return wire.Errorf("IncompleteSignature", "%s", message)
}

// authenticate returns whose request to a service this is, or AWS's reason why it is nobody's.
func (s *Service) authenticate(r *http.Request, body []byte, service string) (identity, error) {
	sig, err := readSignature(r)
	if err != nil {
		return identity{}, err
	}
	who, ok := s.keys.find(sig.keyID)
	if !ok || subtle.ConstantTimeCompare([]byte(who.SessionToken), []byte(sig.token)) != 1 {
		return identity{}, forbidden("InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	if err := s.checkScope(r, sig, service); err != nil {
		return identity{}, err
	}
	want := sign(who.SecretAccessKey, sig, canonicalRequest(r, sig, body))
	if subtle.ConstantTimeCompare([]byte(want), []byte(sig.value)) != 1 {
		return identity{}, forbidden("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	if !who.Expiration.IsZero() && !s.keys.clock.Now().Before(who.Expiration) {
		return identity{}, forbidden("ExpiredToken", "The security token included in the request is expired")
	}
	return who, nil
}

// checkScope checks everything about a signature that needs no key. The sandbox stands for every regional endpoint, so any
// region will do.
func (s *Service) checkScope(r *http.Request, sig signature, service string) error {
	if sig.service != service {
		return forbidden("SignatureDoesNotMatch", "Credential should be scoped to correct service: '%s'.", service)
	}
	date, err := time.Parse(amzDate, sig.date)
	if err != nil || !strings.HasPrefix(sig.date, sig.day) || len(sig.day) != 8 {
		return forbidden("SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s'.", sig.day, sig.date)
	}
	if err := s.checkTime(date, sig); err != nil {
		return err
	}
	for _, name := range requiredHeaders(r, sig) {
		if !slices.Contains(sig.signed, name) {
			return forbidden("SignatureDoesNotMatch", "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	return nil
}

// requiredHeaders are the host and every x-amz- header of the request.
func requiredHeaders(r *http.Request, sig signature) []string {
	names := []string{"host"}
	for name := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") && !sig.presigned {
			names = append(names, lower)
		}
	}
	return names
}

func (s *Service) checkTime(date time.Time, sig signature) error {
	now := s.keys.clock.Wall()
	past := maxPast
	if sig.presigned {
		past = sig.expires
	}
	stamp := func(t time.Time) string { return t.Format(amzDate) }
	if date.Before(now.Add(-past)) {
		return forbidden("SignatureDoesNotMatch", "Signature expired: %s is now earlier than %s (%s - %d min.)", stamp(date), stamp(now.Add(-past)), stamp(now), int(past.Minutes()))
	}
	if date.After(now.Add(maxFuture)) {
		return forbidden("SignatureDoesNotMatch", "Signature not yet current: %s is still later than %s (%s + 5 min.)", stamp(date), stamp(now.Add(maxFuture)), stamp(now))
	}
	return nil
}

// canonicalRequest hashes the body itself, and so believes no X-Amz-Content-Sha256.
func canonicalRequest(r *http.Request, sig signature, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n", r.Method, r.URL.EscapedPath(), canonicalQuery(r.URL.Query()))
	for _, name := range sig.signed {
		fmt.Fprintf(&b, "%s:%s\n", name, headerValue(r, name))
	}
	sum := sha256.Sum256(body)
	fmt.Fprintf(&b, "\n%s\n%x", strings.Join(sig.signed, ";"), sum)
	return b.String()
}

func canonicalQuery(q url.Values) string {
	var pairs [][]string
	for name, values := range q {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, v := range values {
			pairs = append(pairs, []string{escape(name), escape(v)})
		}
	}
	slices.SortFunc(pairs, slices.Compare) // by name: domain before domain-owner, which "=" would turn around
	parts := make([]string, len(pairs))
	for i, p := range pairs {
		parts[i] = p[0] + "=" + p[1]
	}
	return strings.Join(parts, "&")
}

// escape is RFC 3986 percent-encoding of everything but unreserved characters.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var values []string
	for _, v := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.Fields(v), " "))
	}
	return strings.Join(values, ",")
}

func sign(secret string, sig signature, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	scope := strings.Join([]string{sig.day, sig.region, sig.service, "aws4_request"}, "/")
	key := []byte("AWS4" + secret)
	for _, part := range []string{sig.day, sig.region, sig.service, "aws4_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, algorithm+"\n"+sig.date+"\n"+scope+"\n"+hex.EncodeToString(sum[:])))
}

func mac(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}
