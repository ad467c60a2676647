package awscreds

import (
	"context"
	"strings"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokencache"
	"github.com/cognito-credhelper/cognito-credhelper/internal/tokensource"
	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// Derived is what a service of AWS takes, made from AWS credentials: a user name and what proves it.
type Derived struct {
	Username string
	Secret   token.Secret
	Lifetime token.Lifetime
}

// kinds are the ways to derive, as cognito_hosts names them.
var kinds = map[string]func(*Provider, context.Context, wantedPlace, token.AWSCredentials) (Derived, error){
	"ecr":          (*Provider).ecr,
	"codeartifact": (*Provider).codeArtifact,
	"codecommit":   (*Provider).codeCommit,
	"eks":          (*Provider).eks,
}

// Derive gives what the service behind a bound host takes; it is kept in the session, as AWS credentials are. Errors carry a
// token.Kind.
func (p *Provider) Derive(ctx context.Context, t tokensource.Target, b profiles.Binding, h profiles.Host, w tokensource.Want) (Derived, error) {
	if h.Name == "" { // the host does not say who it is; the binding does
		h = b.At("https")
	}
	g, err := p.derivedGoal(t.Profile, b.Kind, tokencache.DerivedPlace(b.Kind, h.Authority(), h.Path, b.User))
	if err != nil {
		return Derived{}, err
	}
	t.Profile.MinTTL = 0 // is about tokens; some of these live for 15 minutes only
	kept, err := p.o.Source.Acquire(ctx, t, g, w)
	if err != nil {
		return Derived{}, err
	}
	c, _ := find(kept, g.record)
	return Derived{c.AWS.AccessKeyID, c.AWS.SecretAccessKey, c.AWS.Lifetime}, nil
}

// DerivedGoal is the goal that a job names, for the worker; ok is false where it names none.
func (p *Provider) DerivedGoal(profile profiles.Profile, work string) (g tokensource.Goal, ok bool, err error) {
	record, ok := strings.CutPrefix(work, tokencache.DeriveWork(""))
	if !ok {
		return nil, false, nil
	}
	kind, _, place := tokencache.SplitDerived(record)
	g, err = p.derivedGoal(profile, kind, place)
	return g, true, err
}

func (p *Provider) derivedGoal(profile profiles.Profile, kind, place string) (derivedGoal, error) {
	from, err := p.Goal(profile)
	if err != nil {
		return derivedGoal{}, err
	}
	if kinds[kind] == nil {
		return derivedGoal{}, badProfile("cognito_hosts names a kind that this version cannot give: "+kind, "", "update this program")
	}
	return derivedGoal{from, kind, place, tokencache.DerivedRecord(kind, from.record, place)}, nil
}

// derivedGoal is the renewal of something derived.
type derivedGoal struct {
	from        Goal // the AWS credentials
	kind, place string
	record      string
}

var _ tokensource.Goal = derivedGoal{}

// Work names it in the session's record of attempts.
func (g derivedGoal) Work() string { return tokencache.DeriveWork(g.record) }

// Fallback is that of tokens: no SDK renews these ahead.
func (g derivedGoal) Fallback() time.Duration { return token.DefaultTokenTTL }

// Find looks it up in the session.
func (g derivedGoal) Find(s *tokencache.Session) (token.Lifetime, bool) {
	c, ok := find(s, g.record)
	return c.AWS.Lifetime, ok
}

// Renew derives it anew, from AWS credentials that are renewed first where little is left of them.
func (g derivedGoal) Renew(ctx context.Context, r *tokensource.Renewal) error {
	p := g.from.provider
	if c, ok := find(r.Session(), g.from.record); !ok || c.AWS.Lifetime.Left(p.o.Now()) < min(token.DefaultTokenTTL, c.AWS.Lifetime.Total()/3) {
		if err := g.from.Renew(ctx, r); err != nil {
			return err
		}
	}
	c, _ := find(r.Session(), g.from.record)
	return r.Attempt(ctx, g.Work(), func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, exchangeWait)
		defer cancel()
		where := readPlace(g.from.profile, g.place)
		d, err := kinds[g.kind](p, ctx, where, c.AWS)
		if err != nil {
			return p.derivedFailure(g.kind, where, err)
		}
		r.Keep(g.record, token.AWSCredentials{AccessKeyID: d.Username, SecretAccessKey: d.Secret, Lifetime: d.Lifetime})
		return nil
	})
}

// wantedPlace is where something derived is for.
type wantedPlace struct {
	profile    profiles.Profile
	host, path string // path without the first slash
	user       string // user= of the binding
}

func readPlace(profile profiles.Profile, place string) wantedPlace {
	place, user, _ := strings.Cut(place, " ")
	host, path, _ := strings.Cut(place, "/")
	if name, _, port := strings.Cut(host, ":"); port {
		host = name // no signature has the port
	}
	return wantedPlace{profile, host, path, user}
}

// region is the host's own, as AWS writes it between the service and the domain, else the profile's.
func (w wantedPlace) region(before string) string {
	if _, rest, ok := strings.Cut("."+w.host, "."+before+"."); ok {
		if region, _, ok := strings.Cut(rest, "."); ok {
			return region
		}
	}
	if w.profile.Region != "" {
		return w.profile.Region
	}
	return w.profile.SignInRegion
}
