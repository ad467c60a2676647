package userpool

import "slices"

// First factors of USER_AUTH (AuthFactorType), and the two challenges that stand for a password.
const (
	passwordFactor = "PASSWORD"
	passwordSRP    = "PASSWORD_SRP"
	webAuthn       = "WEB_AUTHN"
)

// firstFactors are all first factors.
var firstFactors = []string{passwordFactor, emailOTP, smsOTP, webAuthn}

// startChoice is USER_AUTH: the preferred challenge where the user has it, else the list to choose from.
func (p *Pool) startChoice(s start) (any, error) {
	if !s.client.allows("USER_AUTH") {
		// Assumed: the form of the other flows' sentences.
		return nil, errInvalidParameter("USER_AUTH flow not enabled for this client")
	}
	if s.in.Session != "" {
		return p.startConfirmed(s)
	}
	return p.started(s, func(in *signIn) (outcome, error) {
		in.choice = true
		preferred := s.in.AuthParameters["PREFERRED_CHALLENGE"]
		if slices.Contains(p.available(in), preferred) {
			return p.take(in, preferred, s.in.AuthParameters)
		}
		return p.selectChallenge(in)
	})
}

// available are the challenges that a user can begin with. Nobody's are those of a user with a password.
//
// Assumed: who has a second factor on gets no passwordless one, since AWS doesn't combine the two.
func (p *Pool) available(in *signIn) []string {
	u := in.user
	if u == nil {
		return []string{passwordSRP, passwordFactor}
	}
	plain := u.status == Confirmed && len(u.factors()) == 0
	var list []string
	for _, x := range []struct {
		challenge, factor string
		has               bool
	}{
		{passwordSRP, passwordFactor, u.hasPassword},
		{passwordFactor, passwordFactor, u.hasPassword},
		{emailOTP, emailOTP, plain && u.verified("email")},
		{smsOTP, smsOTP, plain && u.verified("phone_number")},
		{webAuthn, webAuthn, plain && len(u.passkeys) > 0},
	} {
		if x.has && slices.Contains(p.config.FirstFactors, x.factor) {
			list = append(list, x.challenge)
		}
	}
	return list
}

func (u *user) verified(name string) bool {
	return u.attributes[name] != "" && u.attributes[name+"_verified"] == "true"
}

// selectChallenge lets the client choose. Assumed: a passkey's options come along, so that CREDENTIAL can be sent at once.
func (p *Pool) selectChallenge(in *signIn) (outcome, error) {
	list := p.available(in)
	if len(list) == 0 {
		return outcome{}, errInvalidParameter("No authentication factor is available for the user.") // assumed
	}
	parameters := map[string]string{}
	if slices.Contains(list, webAuthn) {
		parameters = p.passkeyOptions(in)
	}
	next, _ := p.challenge(in, "SELECT_CHALLENGE", parameters)
	next.challenge.AvailableChallenges = list
	return next, nil
}

// take begins a chosen challenge, or ends it at once where given has what it asks for.
func (p *Pool) take(in *signIn, challenge string, given map[string]string) (outcome, error) {
	switch challenge {
	case passwordFactor:
		if given["PASSWORD"] != "" {
			return p.tryPassword(in, given["PASSWORD"])
		}
	case passwordSRP:
		if given["SRP_A"] != "" {
			return p.verifier(in, given["SRP_A"])
		}
	case webAuthn:
		return p.askPasskey(in)
	case emailOTP:
		return p.askFirstCode(in, emailOTP, "EMAIL")
	case smsOTP:
		return p.askFirstCode(in, smsOTP, "SMS")
	}
	next, _ := p.challenge(in, challenge, map[string]string{})
	next.challenge.AvailableChallenges = p.available(in)
	return next, nil
}

func (p *Pool) askFirstCode(in *signIn, kind, medium string) (outcome, error) {
	next, err := p.askCode(in, kind, medium)
	if err == nil {
		next.challenge.AvailableChallenges = []string{kind}
	}
	return next, err
}

func (p *Pool) answerSelectChallenge(r reply, s *challengeSession) (outcome, error) {
	choice, err := r.response("ANSWER")
	if err != nil {
		return outcome{}, err
	}
	if !slices.Contains(p.available(&s.signIn), choice) {
		return outcome{}, errInvalidParameter("Selected challenge %s is not available", choice) // assumed
	}
	s.used = true
	if credential := r.in.ChallengeResponses["CREDENTIAL"]; choice == webAuthn && credential != "" {
		return p.usePasskey(&s.signIn, credential)
	}
	return p.take(&s.signIn, choice, r.in.ChallengeResponses)
}

// answerPassword judges PASSWORD. A wrong one closes the challenge session.
func (p *Pool) answerPassword(r reply, s *challengeSession) (outcome, error) {
	typed, err := r.response("PASSWORD")
	if err != nil {
		return outcome{}, err
	}
	s.used = true
	return p.tryPassword(&s.signIn, typed)
}

func (p *Pool) answerPasswordSRP(r reply, s *challengeSession) (outcome, error) {
	bigA, err := r.response("SRP_A")
	if err != nil {
		return outcome{}, err
	}
	return p.verifier(&s.signIn, bigA)
}

// confirmed is the challenge session that ConfirmSignUp gives: whoever has it signs in with nothing else.
const confirmed = "ConfirmSignUp"

func (p *Pool) startConfirmed(s start) (any, error) {
	return p.started(s, func(in *signIn) (outcome, error) {
		c, err := p.findSession(s.in.Session, confirmed)
		if err != nil {
			return outcome{}, err
		}
		if c.client.ID != s.client.ID || in.user == nil || c.user != in.user {
			return outcome{}, errInvalidSession()
		}
		if err := c.open(p.clock.Now()); err != nil {
			return outcome{}, err
		}
		c.used = true
		return p.secondFactor(in)
	})
}
