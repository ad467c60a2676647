// Package execcredential answers kubectl and client-go, which run us as an exec plugin
// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
//
// It guarantees the API version that kubectl is configured for, always with expirationTimestamp, and nothing on standard
// output when it fails. It never reads standard input, which may be the terminal.
package execcredential

import (
	"context"
	"errors"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/flags"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonobject"
	"github.com/cognito-credhelper/cognito-credhelper/internal/protocol/jsonstring"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

const usage = `Usage: cognito-credhelper kubernetes [flags]

Prints the ID token of a profile's session as an ExecCredential, for kubectl and other Kubernetes clients. The
API server checks its audience, which only the ID token has. It never asks anything: sign in before, with
"cognito-credhelper login". With provideClusterInfo, a profile can bind the API server to something else:
HOST = eks user=CLUSTER in cognito_hosts gives what Amazon EKS takes.

Flags:
` + flags.CredentialUsage + `  --use id|access          which token (default id)

Example, in ~/.kube/config:
  users:
  - name: dev
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        command: cognito-credhelper
        args: [kubernetes, --profile, dev]
        interactiveMode: Never
  cognito-credhelper kubernetes --profile dev
`

// Adapter is the verb kubernetes.
func Adapter() protocol.Adapter {
	return protocol.Adapter{
		Verb:  "kubernetes",
		Short: "Print an ExecCredential for kubectl",
		Usage: usage,
		Serve: Serve,
	}
}

// Serve answers one call. Errors keep their kind and decide the exit code.
func Serve(ctx context.Context, c protocol.Call, s protocol.Source) protocol.Result {
	if err := serve(ctx, c, s); err != nil {
		return protocol.Result{Exit: token.KindOf(err).ExitCode(), Err: err}
	}
	return protocol.Result{}
}

func serve(ctx context.Context, c protocol.Call, s protocol.Source) error {
	wanted, use := flags.NewCredential(), ""
	p := flags.Parser{Args: c.Args}
	for p.Next() {
		switch {
		case wanted.Take(&p):
		case p.Name == "use":
			p.Choice(&use, string(token.UseID), string(token.UseAccess))
		default:
			p.Unknown()
		}
	}
	if p.Err != nil {
		return p.Err
	}
	version, err := apiVersion(c.Getenv(variable))
	if err != nil {
		return err
	}
	r := wanted.Request(c.Getenv)
	if r.Use = token.Use(use); use == "" {
		r.Use = token.UseID
	}
	t, err := credential(ctx, s, r, c.Getenv(variable), use == "")
	if err != nil {
		return err
	}
	if t.Value.Empty() || t.Lifetime.Expires.IsZero() {
		return &token.Error{Kind: token.Failure, Message: "the session has no such token"}
	}
	_, err = c.Out.Write(encode(version, t))
	return err
}

// credential gives what the profile binds the API server to, where kubectl names it (provideClusterInfo) and a binding does; else
// the profile's token.
func credential(ctx context.Context, s protocol.Source, r protocol.Request, info string, byBinding bool) (token.Token, error) {
	if server := clusterServer(info); byBinding && server != "" {
		host, err := profiles.ParseHost(server)
		if err != nil {
			return token.Token{}, protocol.BadRequest(err)
		}
		got, err := s.HostCredential(ctx, protocol.HostRequest{
			Host: host, Profile: r.Profile.Name, Location: r.Profile.Location, Username: r.Username, MinTTL: r.MinTTL,
		})
		if !errors.Is(err, protocol.ErrNotBound) {
			return got.Token, err
		}
	}
	return s.Token(ctx, r)
}

// clusterServer is the API server's address in what client-go says; "" where it does not say.
func clusterServer(info string) string {
	if info == "" {
		return ""
	}
	asked, err := jsonobject.Parse([]byte(info))
	if err != nil {
		return ""
	}
	spec, _ := asked.Get("spec").Object()
	cluster, _ := spec.Get("cluster").Object()
	server, _ := cluster.Get("server").String()
	return server
}

// variable is where client-go says what it is configured for.
const variable = "KUBERNETES_EXEC_INFO"

// The versions of the API that there are. v1alpha1 is gone since Kubernetes 1.24.
const (
	newest = "client.authentication.k8s.io/v1"
	older  = "client.authentication.k8s.io/v1beta1"
)

// apiVersion gives the version to answer in: client-go refuses any other than its own. A person who runs us has none.
func apiVersion(info string) (string, error) {
	if info == "" {
		return newest, nil
	}
	asked, err := jsonobject.Parse([]byte(info))
	if err != nil {
		return "", &token.Error{Kind: token.BadProfile, Message: variable + " cannot be read: " + err.Error()}
	}
	switch version, _ := asked.Get("apiVersion").String(); version {
	case newest:
		return newest, nil
	case older:
		return older, nil
	default:
		return "", &token.Error{
			Kind:    token.BadProfile,
			Message: "kubectl is configured for apiVersion " + safetext.Line(version, 80) + ", and this program answers " + newest + " and " + older,
			Next:    "set apiVersion: " + newest + " in the user's exec section of the kubeconfig file",
		}
	}
}

func encode(version string, t token.Token) []byte {
	value := t.Value.Reveal()
	b := make([]byte, 0, len(value)+256)
	b = append(b, `{"apiVersion":"`...)
	b = append(b, version...)
	b = append(b, `","kind":"ExecCredential","status":{"expirationTimestamp":"`...)
	b = t.Lifetime.Expires.UTC().AppendFormat(b, time.RFC3339)
	b = append(b, `","token":`...)
	b = jsonstring.Append(b, value)
	return append(b, "}}\n"...)
}
