package userpool

import (
	"maps"
	"slices"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

type attribute struct{ Name, Value string }

type getUserOutput struct {
	Username            string
	UserAttributes      []attribute
	UserMFASettingList  []string `json:",omitempty"`
	PreferredMfaSetting string   `json:",omitempty"`
}

func (p *Pool) getUser(call wire.Call, in accessTokenInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, err := p.bearer(call, in.AccessToken)
	if err != nil {
		return nil, err
	}
	out := getUserOutput{Username: u.username, UserAttributes: []attribute{{"sub", u.sub}}}
	for _, name := range slices.Sorted(maps.Keys(u.attributes)) {
		out.UserAttributes = append(out.UserAttributes, attribute{name, u.attributes[name]})
	}
	out.UserMFASettingList = u.factors()
	out.PreferredMfaSetting = u.preferredFactor()
	return out, nil
}
