package sandbox

import (
	"time"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/userpool"
)

// Requests is how many requests came per operation since the last reset, faulty ones included.
func (s *Server) Requests() map[string]int { return s.faults.Requests() }

// ResetRequests starts counting anew.
func (s *Server) ResetRequests() { s.faults.ResetRequests() }

// SetFault adds a fault; several for one operation happen one after the other.
func (s *Server) SetFault(f Fault) error { return s.faults.Set(f) }

// Faults are the faults that have not happened yet.
func (s *Server) Faults() []Fault { return s.faults.Pending() }

// ClearFaults forgets them.
func (s *Server) ClearFaults() { s.faults.Clear() }

// Advance moves the clock by which tokens, codes, and sessions live. Clients are still held against the machine's time.
func (s *Server) Advance(d time.Duration) { s.clock.Advance(d, false) }

// AdvanceWithDate also moves the Date header and what clients' clocks are held against, as if the client's clock were wrong.
func (s *Server) AdvanceWithDate(d time.Duration) { s.clock.Advance(d, true) }

// AddUser adds a user.
func (s *Server) AddUser(u userpool.User) error { return s.pool.AddUser(u) }

// EditUser changes a user; an unknown name is an error, here and in the functions below.
func (s *Server) EditUser(name string, e userpool.Edit) error { return s.pool.EditUser(name, e) }

// SetPassword changes a password; sign-ins stay.
func (s *Server) SetPassword(name, password string) error {
	return s.EditUser(name, userpool.Edit{Password: password})
}

// SetStatus sets CONFIRMED, UNCONFIRMED, FORCE_CHANGE_PASSWORD, or RESET_REQUIRED.
func (s *Server) SetStatus(name, status string) error {
	return s.EditUser(name, userpool.Edit{Status: status})
}

// Confirm makes a user CONFIRMED.
func (s *Server) Confirm(name string) error { return s.SetStatus(name, userpool.Confirmed) }

// Disable keeps a user out.
func (s *Server) Disable(name string) error { return s.setDisabled(name, true) }

// Enable lets a user in again.
func (s *Server) Enable(name string) error { return s.setDisabled(name, false) }

func (s *Server) setDisabled(name string, disabled bool) error {
	return s.EditUser(name, userpool.Edit{Disabled: &disabled})
}

// DeleteUser removes a user.
func (s *Server) DeleteUser(name string) error {
	return s.EditUser(name, userpool.Edit{Delete: true})
}

// RevokeAll ends every sign-in of a user, as an administrator's global sign-out does.
func (s *Server) RevokeAll(name string) error {
	return s.EditUser(name, userpool.Edit{RevokeAll: true})
}

// TOTP is the code that the user's authenticator shows now, by the sandbox's clock; "" for a user without one.
func (s *Server) TOTP(name string) string {
	code, _ := s.pool.CurrentTOTP(name)
	return code
}

// CurrentTOTP is TOTP, and whether the user has one.
func (s *Server) CurrentTOTP(name string) (string, bool) { return s.pool.CurrentTOTP(name) }

// SMS is the last code sent to the user; "" when there was none.
func (s *Server) SMS(name string) string {
	code, _ := s.pool.LastSMS(name)
	return code
}

// LastSMS is SMS, and whether there was one.
func (s *Server) LastSMS(name string) (string, bool) { return s.pool.LastSMS(name) }

// Codes are the codes that a user could type now, by kind: see package control.
func (s *Server) Codes(name string) map[string]string { return s.pool.Codes(name) }

// TriggerEvents are the latest runs of Lambda triggers, oldest first.
func (s *Server) TriggerEvents() []userpool.TriggerEvent { return s.pool.TriggerEvents() }

// SetTriggerErrors makes triggers fail with a text; "" lets one work again.
func (s *Server) SetTriggerErrors(errors map[string]string) error {
	return s.pool.SetTriggerErrors(errors)
}

// RequestContexts are the latest requests that brought AnalyticsMetadata or UserContextData, oldest first.
func (s *Server) RequestContexts() []userpool.RequestContext { return s.pool.RequestContexts() }

// ForgetEvents empties both lists, and lets every trigger work again.
func (s *Server) ForgetEvents() { s.pool.ForgetEvents() }

// SetSecrets changes the live secrets of an app client.
func (s *Server) SetSecrets(client, secret, next string) error {
	return s.pool.SetSecrets(client, secret, next)
}
