package userpool

import "maps"

// startCustom is CUSTOM_AUTH, with a proof of the password first when the client asks for that.
func (p *Pool) startCustom(s start) (any, error) {
	if !s.client.allows("CUSTOM_AUTH") {
		return nil, errInvalidParameter("CUSTOM_AUTH is not enabled for the client.")
	}
	if len(p.config.CustomAuth.Rounds) == 0 {
		return nil, errInvalidParameter("Custom auth lambda trigger is not configured for the user pool.")
	}
	bigA := ""
	if s.in.AuthParameters["CHALLENGE_NAME"] == "SRP_A" {
		var err error
		if bigA, err = s.parameter("SRP_A"); err != nil {
			return nil, err
		}
	}
	return p.started(s, func(in *signIn) (outcome, error) {
		in.custom = true
		if bigA != "" {
			return p.verifier(in, bigA)
		}
		if in.user != nil {
			if err := in.user.mayGoOn(); err != nil {
				return outcome{}, err
			}
		}
		return p.customChallenge(in)
	})
}

// customChallenge decides, as the DefineAuthChallenge trigger does, and asks the question of the round, as CreateAuthChallenge
// does. Call with the lock held.
func (p *Pool) customChallenge(in *signIn) (outcome, error) {
	if err := p.fire("DefineAuthChallenge", in); err != nil {
		return outcome{}, err
	}
	rounds := p.config.CustomAuth.Rounds
	switch {
	case in.wrong >= p.config.CustomAuth.WrongAnswers:
		return outcome{}, errWrongPassword()
	case in.round < len(rounds):
		return p.createChallenge(in, rounds[in.round])
	case in.remembered():
		return p.deviceChallenge(in)
	}
	return p.complete(in)
}

func (p *Pool) createChallenge(in *signIn, round Round) (outcome, error) {
	if err := p.fire("CreateAuthChallenge", in); err != nil {
		return outcome{}, err
	}
	parameters := map[string]string{"USERNAME": in.username}
	maps.Copy(parameters, round.Parameters)
	next, _ := p.challenge(in, "CUSTOM_CHALLENGE", parameters)
	return next, nil
}

// answerCustom judges an answer, as the VerifyAuthChallengeResponse trigger does. Right or wrong, the next challenge comes in
// a new challenge session. Nobody's answer is ever right.
func (p *Pool) answerCustom(r reply, s *challengeSession) (outcome, error) {
	answer, err := r.response("ANSWER")
	if err != nil {
		return outcome{}, err
	}
	if err := p.fire("VerifyAuthChallengeResponse", &s.signIn); err != nil {
		return outcome{}, err
	}
	in := s.signIn
	if in.user != nil && same(answer, p.config.CustomAuth.Rounds[in.round].Answer) {
		in.round++
	} else {
		in.wrong++
	}
	s.used = true
	return p.customChallenge(&in)
}
