package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cognito-credhelper/cognito-credhelper/internal/cognito"
	"github.com/cognito-credhelper/cognito-credhelper/internal/safetext"
	"github.com/cognito-credhelper/cognito-credhelper/internal/token"
)

// member is one member of a JSON object whose members stand in the API's own order.
type member struct {
	name  string
	value any // nil, a string, a number, an object, or what encoding/json takes
}

type object []member

// The members of an answer's envelope, which every operation has.
var envelope = []string{"ResponseMetadata", "ContentLength", "HttpStatusCode"}

// The members that a path of --select may begin with, by how much an operation answers.
var (
	tokenMembers     = append([]string{"AuthenticationResult"}, envelope...)
	challengeMembers = append([]string{"AuthenticationResult", "ChallengeName", "ChallengeParameters", "Session"}, envelope...)
	initiateMembers  = append([]string{"AuthenticationResult", "ChallengeName", "ChallengeParameters", "Session", "AvailableChallenges"}, envelope...)
)

// below are the members below those; ChallengeParameters has what the challenge has.
var below = map[string][]string{
	"AuthenticationResult":                   {"AccessToken", "ExpiresIn", "IdToken", "NewDeviceMetadata", "RefreshToken", "TokenType"},
	"AuthenticationResult.NewDeviceMetadata": {"DeviceGroupKey", "DeviceKey"},
	"ResponseMetadata":                       {"RequestId"},
}

// checkSelect checks a path of --select before anything goes out.
func checkSelect(path string, members []string) error {
	if path == "" || path == "*" {
		return nil
	}
	parts := strings.Split(path, ".")
	allowed := members
	for i, part := range parts {
		if at := strings.Join(parts[:i], "."); at == "ChallengeParameters" && i == 1 && part != "" {
			return nil // whose names hold dots, too
		}
		if !slices.Contains(allowed, part) {
			if len(allowed) == 0 {
				return usageOf("--select: " + strings.Join(parts[:i], ".") + " has no members")
			}
			return usageOf("--select takes '*' or a path; here it goes on with one of: " + strings.Join(allowed, ", "))
		}
		allowed = below[strings.Join(parts[:i+1], ".")]
	}
	return nil
}

// describe gives a response the API's own names.
func describe(r cognito.Response, members []string) object {
	all := object{
		{"AuthenticationResult", describeTokens(r.Tokens)},
		{"ChallengeName", orNull(r.ChallengeName)},
		{"ChallengeParameters", r.ChallengeParameters},
		{"Session", orNull(r.Session.Reveal())},
		{"AvailableChallenges", r.AvailableChallenges},
		{"ResponseMetadata", object{{"RequestId", orNull(r.Meta.RequestID)}}},
		{"ContentLength", r.Meta.ContentLength},
		{"HttpStatusCode", r.Meta.Status},
	}
	return slices.DeleteFunc(all, func(m member) bool { return !slices.Contains(members, m.name) })
}

func describeTokens(t *cognito.Tokens) any {
	if t == nil {
		return nil
	}
	var device any
	if t.Device != nil {
		device = object{{"DeviceGroupKey", orNull(t.Device.GroupKey)}, {"DeviceKey", orNull(t.Device.Key)}}
	}
	return object{
		{"AccessToken", orNull(t.Access.Reveal())}, {"ExpiresIn", t.ExpiresIn}, {"IdToken", orNull(t.ID.Reveal())},
		{"NewDeviceMetadata", device}, {"RefreshToken", orNull(t.Refresh.Reveal())}, {"TokenType", orNull(t.Type)},
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// selected is the text of what --select names: JSON, or the bare text of a string. A response that lacks it is an error, so
// that a script never takes "null" for a token.
func selected(r cognito.Response, members []string, path string, indent bool) (string, error) {
	var at any = describe(r, members)
	if path == "" || path == "*" {
		return render(at, indent)
	}
	if rest, ok := strings.CutPrefix(path, "ChallengeParameters."); ok {
		if value, there := r.ChallengeParameters[rest]; there {
			at = value
		} else {
			at = nil
		}
	} else {
		for part := range strings.SplitSeq(path, ".") {
			o, _ := at.(object)
			at = nil
			if i := slices.IndexFunc(o, func(m member) bool { return m.name == part }); i >= 0 {
				at = o[i].value
			}
		}
	}
	if empty(at) {
		message := "the answer has no " + path
		if r.ChallengeName != "" {
			message += ": it is the challenge " + safetext.Line(r.ChallengeName, 60)
		}
		return "", &token.Error{Kind: token.Failure, Message: message, Next: "leave --select out to see all of it"}
	}
	if text, ok := at.(string); ok && safetext.Line(text, len(text)+1) == text {
		return text + "\n", nil
	}
	return render(at, indent)
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]string:
		return v == nil
	case []string:
		return v == nil
	default:
		return false
	}
}

// render writes JSON in which no text of the server's can drive a terminal.
func render(v any, indent bool) (string, error) {
	var b bytes.Buffer
	if err := encode(&b, v); err != nil {
		return "", &token.Error{Kind: token.Failure, Message: "the answer cannot be written as JSON", Err: err}
	}
	if indent {
		var wide bytes.Buffer
		if err := json.Indent(&wide, b.Bytes(), "", "  "); err == nil {
			b = wide
		}
	}
	b.WriteByte('\n')
	return escapeJSON(b.String()), nil
}

func encode(b *bytes.Buffer, v any) error {
	o, ok := v.(object)
	if !ok {
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		err := e.Encode(v)
		b.Truncate(b.Len() - min(1, b.Len())) // the newline
		return err
	}
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, "%q:", m.name) // names are ours: plain ASCII
		if err := encode(b, m.value); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// describeError is the object of an input that failed.
func describeError(id string, err error) object {
	code, message, request := kindName(token.KindOf(err)), err.Error(), ""
	var e *cognito.Error
	var said *token.Error
	switch {
	case errors.As(err, &e) && e.Code != "":
		code, message, request = e.Code, e.Message, e.RequestID
	case errors.As(err, &said):
		message = said.Message
	}
	return object{{"ClientId", id}, {"Error", object{{"Code", code}, {"Message", message}, {"RequestId", orNull(request)}}}}
}

// kindName is the Code of an error that is not Cognito's.
func kindName(k token.Kind) string {
	switch k {
	case token.Usage:
		return "InvalidInput"
	case token.LoginNeeded:
		return "LoginNeeded"
	case token.Refused:
		return "Refused"
	case token.Unavailable:
		return "Unavailable"
	case token.BadProfile:
		return "InvalidConfiguration"
	case token.Interrupted:
		return "Interrupted"
	default:
		return "Failure"
	}
}
