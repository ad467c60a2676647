package userpool

import (
	"encoding/base64"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

// device is one machine that the pool remembers, or would if its owner confirmed it. Guarded by Pool.mu.
type device struct {
	key, group, name  string
	salt, v           *big.Int // nil before ConfirmDevice
	remembered        bool
	created, seen, at time.Time // at: of the last change
}

type newDeviceMetadata struct{ DeviceKey, DeviceGroupKey string }

// addDevice gives a machine its names. Call with the lock held, as everything here but the operations.
func (p *Pool) addDevice(u *user) *device {
	now := p.clock.Now()
	d := &device{key: p.config.Region + "_" + wire.NewRequestID(), group: "-" + opaque(6), created: now, seen: now, at: now}
	u.devices = append(u.devices, d)
	return d
}

func (u *user) device(key string) *device {
	for _, d := range u.devices {
		if d.key == key {
			return d
		}
	}
	return nil
}

// checkDevice refuses a DEVICE_KEY that isn't the user's, or that nobody confirmed.
func (in *signIn) checkDevice() error {
	if in.device == "" || in.user == nil {
		return nil
	}
	if d := in.user.device(in.device); d == nil || d.v == nil {
		return errNoDevice()
	}
	return nil
}

func errNoDevice() error {
	return wire.Errorf("ResourceNotFoundException", "Device does not exist.")
}

// remembered says whether the sign-in comes from a machine whose proof stands for a second factor.
func (in *signIn) remembered() bool {
	d := in.user.device(in.device)
	return d != nil && d.v != nil && d.remembered
}

// deviceChallenge asks for the first half of the device's proof.
func (p *Pool) deviceChallenge(in *signIn) (outcome, error) {
	next, _ := p.challenge(in, "DEVICE_SRP_AUTH", map[string]string{"USERNAME": in.username})
	return next, nil
}

func (p *Pool) answerDeviceSRP(r reply, s *challengeSession) (outcome, error) {
	bigA, err := r.response("SRP_A")
	if err != nil {
		return outcome{}, err
	}
	key, err := r.response("DEVICE_KEY")
	if err != nil {
		return outcome{}, err
	}
	d := s.user.device(key)
	if d == nil || d.v == nil {
		return outcome{}, errNoDevice()
	}
	st := srpState{Username: s.user.username, Prover: prover{d.group, d.key}, Device: true, Session: opaque(750), Custom: s.custom}
	return p.prove(&s.signIn, st, bigA, d.salt, d.v)
}

// bind gives a family its device: the one the client proved or named, or in a pool that remembers devices a new one.
func (p *Pool) bind(in *signIn, f *family) *newDeviceMetadata {
	if d := in.user.device(in.device); d != nil {
		d.seen, f.device = p.clock.Now(), d.key
		return nil
	}
	if p.config.Devices == "OFF" {
		return nil
	}
	d := p.addDevice(in.user)
	f.device = d.key
	return &newDeviceMetadata{d.key, d.group}
}

// carries says whether a refresh comes from the family's device. One that was never confirmed, or is forgotten, counts for
// nothing.
func (f *family) carries(u *user, key string) bool {
	if f.device == "" {
		return true
	}
	d := u.device(f.device)
	return d != nil && d.v != nil && key == d.key
}

type deviceInput struct {
	AccessToken                string
	DeviceKey                  string
	DeviceName                 string
	DeviceSecretVerifierConfig struct{ PasswordVerifier, Salt string }
	DeviceRememberedStatus     string
	Limit                      int
	PaginationToken            string
}

// own is the device of a signed-in user that a request names.
func (p *Pool) own(call wire.Call, in deviceInput) (*user, *device, error) {
	u, err := p.bearer(call, in.AccessToken)
	if err != nil {
		return nil, nil, err
	}
	if in.DeviceKey == "" {
		return nil, nil, errInvalidParameter("Missing required parameter DeviceKey")
	}
	d := u.device(in.DeviceKey)
	if d == nil {
		return nil, nil, errNoDevice()
	}
	return u, d, nil
}

func (p *Pool) confirmDevice(call wire.Call, in deviceInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, d, err := p.own(call, in)
	if err != nil {
		return nil, err
	}
	if d.v != nil {
		return nil, wire.Errorf("DeviceKeyExistsException", "Device key already exists.") // the text is assumed
	}
	salt, errSalt := integer(in.DeviceSecretVerifierConfig.Salt)
	v, errV := integer(in.DeviceSecretVerifierConfig.PasswordVerifier)
	if errSalt != nil || errV != nil || v.Cmp(srpGroup.n) >= 0 {
		return nil, errInvalidParameter("Invalid device secret verifier.") // assumed
	}
	d.salt, d.v, d.name, d.at = salt, v, in.DeviceName, p.clock.Now()
	d.remembered = p.config.Devices == "ALWAYS"
	return struct{ UserConfirmationNecessary bool }{!d.remembered}, nil
}

// integer reads the base64 of a positive integer's shortest two's-complement form.
func integer(text string) (*big.Int, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	n := new(big.Int).SetBytes(b)
	if n.Sign() == 0 || !slices.Equal(encode(n), b) {
		return nil, errInvalidParameter("not a positive integer in two's complement")
	}
	return n, nil
}

func (p *Pool) updateDeviceStatus(call wire.Call, in deviceInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, d, err := p.own(call, in)
	if err != nil {
		return nil, err
	}
	states := []string{"remembered", "not_remembered"}
	if !slices.Contains(states, in.DeviceRememberedStatus) {
		return nil, badEnum("deviceRememberedStatus", in.DeviceRememberedStatus, states)
	}
	d.remembered, d.at = in.DeviceRememberedStatus == "remembered", p.clock.Now()
	return struct{}{}, nil
}

func (p *Pool) forgetDevice(call wire.Call, in deviceInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, d, err := p.own(call, in)
	if err != nil {
		return nil, err
	}
	u.devices = slices.DeleteFunc(u.devices, func(x *device) bool { return x == d })
	return struct{}{}, nil
}

// deviceOutput is DeviceType. Times are seconds since 1970, as AWS JSON 1.1 has them.
type deviceOutput struct {
	DeviceKey                   string
	DeviceAttributes            []attribute
	DeviceCreateDate            float64
	DeviceLastModifiedDate      float64
	DeviceLastAuthenticatedDate float64
}

func (d *device) output() deviceOutput {
	status := "not_remembered"
	if d.remembered {
		status = "remembered"
	}
	stamp := func(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
	return deviceOutput{
		DeviceKey: d.key,
		DeviceAttributes: []attribute{
			{"device_status", "valid"}, {"device_name", d.name}, {"dev:device_remembered_status", status}, {"last_ip_used", "127.0.0.1"},
		},
		DeviceCreateDate: stamp(d.created), DeviceLastModifiedDate: stamp(d.at), DeviceLastAuthenticatedDate: stamp(d.seen),
	}
}

func (p *Pool) getDevice(call wire.Call, in deviceInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, d, err := p.own(call, in)
	if err != nil {
		return nil, err
	}
	return struct{ Device deviceOutput }{d.output()}, nil
}

// maxDevices is the largest Limit of ListDevices, and what it is when nothing is said.
const maxDevices = 60

// listDevices lists the confirmed devices, oldest first. The pagination token is the number of devices already shown.
func (p *Pool) listDevices(call wire.Call, in deviceInput) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, err := p.bearer(call, in.AccessToken)
	if err != nil {
		return nil, err
	}
	if in.Limit < 0 || in.Limit > maxDevices {
		return nil, errInvalidParameter("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to %d", in.Limit, maxDevices)
	}
	if in.Limit == 0 {
		in.Limit = maxDevices
	}
	all := []deviceOutput{}
	for _, d := range u.devices {
		if d.v != nil {
			all = append(all, d.output())
		}
	}
	from, err := strconv.Atoi("0" + in.PaginationToken)
	if err != nil || from > len(all) {
		return nil, errInvalidParameter("Invalid pagination token")
	}
	to := min(from+in.Limit, len(all))
	out := struct {
		Devices         []deviceOutput
		PaginationToken string `json:",omitempty"`
	}{Devices: all[from:to]}
	if to < len(all) {
		out.PaginationToken = strconv.Itoa(to)
	}
	return out, nil
}
