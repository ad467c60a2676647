package userpool

import "github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"

type adminInitiateAuthInput struct {
	UserPoolID string `json:"UserPoolId"`
	initiateAuthInput
	ContextData struct {
		EncodedData string
		IPAddress   string `json:"IpAddress"`
	}
}

// adminInitiateAuth is InitiateAuth for administrators: it has their flow, and no USER_PASSWORD_AUTH. Its challenges are
// answered with RespondToAuthChallenge.
func (p *Pool) adminInitiateAuth(call wire.Call, in adminInitiateAuthInput) (any, error) {
	if in.UserPoolID != p.config.ID {
		return nil, wire.Errorf("ResourceNotFoundException", "User pool %s does not exist.", in.UserPoolID)
	}
	client, err := p.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	in.UserContextData.EncodedData, in.UserContextData.IPAddress = in.ContextData.EncodedData, in.ContextData.IPAddress
	p.note("AdminInitiateAuth", in.requestContext)
	flows := p.flows()
	delete(flows, "USER_PASSWORD_AUTH")
	flows["ADMIN_USER_PASSWORD_AUTH"], flows["ADMIN_NO_SRP_AUTH"] = p.startAdmin, p.startAdmin
	return p.beginFlow(flows, start{call: call, client: client, in: in.initiateAuthInput})
}

// startAdmin is ADMIN_USER_PASSWORD_AUTH, and its older name ADMIN_NO_SRP_AUTH.
func (p *Pool) startAdmin(s start) (any, error) {
	if !s.client.allows("ADMIN_USER_PASSWORD_AUTH") {
		return nil, errInvalidParameter("Auth flow not enabled for this client")
	}
	return p.startWithPassword(s)
}
