package plugin

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "github.com/cognito-credhelper/cognito-credhelper/plugin/proto/v1"
)

// fill sets every field to something that is not its zero value, a different one each time.
func fill(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[Secret]():
		v.Set(reflect.ValueOf(NewSecret(fmt.Sprint("secret ", *n))))
		return
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(int64(*n)*1000, 5).UTC()))
		return
	case v.Type() == reflect.TypeFor[time.Duration]():
		v.SetInt(int64(*n) * int64(time.Second))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(2) // an enum's value, too
	case reflect.Interface: // Error.Err, which does not cross the wire
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Uint8:
		v.SetUint(uint64(*n % 250))
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, n)
		v.SetMapIndex(reflect.ValueOf(fmt.Sprint("key ", *n)), value)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic("fill does not know " + v.Kind().String())
	}
}

// over sends a message over the wire and back.
func over[T any, W proto.Message](t *testing.T, to func(T) W, from func(W) T) {
	t.Helper()
	var in T
	n := 0
	fill(reflect.ValueOf(&in).Elem(), &n)
	for _, value := range []T{in, *new(T)} {
		wire, err := proto.Marshal(to(value))
		if err != nil {
			t.Fatal(err)
		}
		back := to(*new(T))
		proto.Reset(back)
		if err := proto.Unmarshal(wire, back); err != nil {
			t.Fatal(err)
		}
		again, err := proto.Marshal(to(from(back)))
		if err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(to(from(back)), back) {
			t.Errorf("%T: the wire gives %x, want %x", value, again, wire)
		}
		if got := from(back); !reflect.ValueOf(value).IsZero() && !reflect.DeepEqual(got, value) {
			t.Errorf("%T:\n got %#v\nwant %#v", value, got, value)
		}
	}
}

// Every field of every type goes over the wire and comes back.
func TestTypesCrossTheWire(t *testing.T) {
	over(t, getTokensRequestToWire, getTokensRequestFromWire)
	over(t, getTokensResponseToWire, getTokensResponseFromWire)
	over(t, getAWSCredentialsRequestToWire, getAWSCredentialsRequestFromWire)
	over(t, getAWSCredentialsResponseToWire, getAWSCredentialsResponseFromWire)
	over(t, getCredentialForHostRequestToWire, getCredentialForHostRequestFromWire)
	over(t, getCredentialForHostResponseToWire, getCredentialForHostResponseFromWire)
	over(t, func(r LoginRequest) *pb.LoginStart { return loginRequestToWire(r, true) }, loginRequestFromWire)
	over(t, loginResponseToWire, loginResponseFromWire)
	over(t, func(q Question) *pb.Question { return questionToWire(7, q) }, questionFromWire)
	over(t, logoutRequestToWire, logoutRequestFromWire)
	over(t, logoutResponseToWire, logoutResponseFromWire)
	over(t, statusRequestToWire, statusRequestFromWire)
	over(t, statusResponseToWire, statusResponseFromWire)
	over(t, listProfilesRequestToWire, listProfilesRequestFromWire)
	over(t, listProfilesResponseToWire, listProfilesResponseFromWire)
	over(t, initiateAuthRequestToWire, initiateAuthRequestFromWire)
	over(t, respondRequestToWire, respondRequestFromWire)
	over(t, authResponseToWire, authResponseFromWire)
}

// Every code, alone and wrapped, keeps its kind, its sentence, its hint, and its time, in a status and in a message.
func TestErrorsCrossTheWire(t *testing.T) {
	if len(names) != len(pb.Code_name) || len(names) != len(grpcCodes) {
		t.Errorf("%d codes, %d on the wire, %d of gRPC", len(names), len(pb.Code_name), len(grpcCodes))
	}
	for code := range names {
		in := &Error{Code: code, Message: "the sentence", Hint: "the hint", RetryAfter: 3 * time.Second}
		for _, err := range []error{in, fmt.Errorf("around it: %w", in), errors.Join(errors.New("other"), in)} {
			var got *Error
			if !errors.As(fromStatus(context.Background(), toStatus(err)), &got) || *got != *in {
				t.Errorf("%v: came back as %+v", code, got)
			}
		}
		if got := errorFromWire(errorToWire(in)); *got != *in {
			t.Errorf("%v: came back in a message as %+v", code, got)
		}
		if status.Code(toStatus(in)) == codes.OK {
			t.Errorf("%v is success for gRPC", code)
		}
	}
}

// What one side does not know is CodeUnknown for it, never success.
func TestUnknownErrorsAreErrors(t *testing.T) {
	for _, number := range []int32{-1, 11, 99, 1 << 30} {
		s, err := status.New(codes.Internal, "x").WithDetails(&pb.Error{Code: pb.Code(number), Message: "newer"})
		if err != nil {
			t.Fatal(err)
		}
		if got := fromStatus(context.Background(), s.Err()); got == nil || CodeOf(got) != CodeUnknown || got.Error() != "newer" {
			t.Errorf("code %d came as %v", number, got)
		}
		if got := CodeOf(toStatusAndBack(&Error{Code: Code(number)})); got != CodeUnknown {
			t.Errorf("code %d was sent as %v", number, got)
		}
	}
	for _, c := range []struct {
		in   error
		want Code
	}{
		{errors.New("plain"), CodeUnknown},
		{context.Canceled, CodeCanceled},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), CodeUnavailable},
	} {
		if got := CodeOf(toStatusAndBack(c.in)); got != c.want {
			t.Errorf("%v came back as %v, want %v", c.in, got, c.want)
		}
	}
	for g, want := range map[codes.Code]Code{
		codes.Canceled: CodeCanceled, codes.DeadlineExceeded: CodeUnavailable, codes.Unimplemented: CodeUnsupported,
		codes.ResourceExhausted: CodeInvalidRequest, codes.Unavailable: CodePluginEnded, codes.Internal: CodeUnknown, codes.DataLoss: CodeUnknown, 77: CodeUnknown,
	} {
		if got := fromStatus(context.Background(), status.Error(g, "made by gRPC")); got == nil || CodeOf(got) != want {
			t.Errorf("gRPC's %v is %v, want %v", g, CodeOf(got), want)
		}
	}
	if toStatus(nil) != nil || fromStatus(context.Background(), nil) != nil {
		t.Error("no error became one")
	}
}

func toStatusAndBack(err error) error { return fromStatus(context.Background(), toStatus(err)) }

// An enum's value of a newer plugin is the zero value; of a host it is refused.
func TestUnknownEnums(t *testing.T) {
	if got := questionFromWire(&pb.Question{Kind: 99}).Kind; got != QuestionText {
		t.Errorf("kind = %d", got)
	}
	if got := statusResponseFromWire(&pb.StatusResponse{State: 99}).State; got != StateUnknown {
		t.Errorf("state = %d", got)
	}
	for _, use := range []pb.TokenUse{-1, 3, 99} {
		if err := getTokensRequestFromWire(&pb.GetTokensRequest{Use: use}).Validate(); err == nil || CodeOf(err) != CodeInvalidRequest {
			t.Errorf("use %d: %v", use, err)
		}
	}
	for kind := range pb.QuestionKind_name {
		if got := questionFromWire(&pb.Question{Kind: pb.QuestionKind(kind)}).Kind; got != QuestionKind(kind) {
			t.Errorf("kind %d = %d", kind, got)
		}
	}
}

// A long or broken sentence can always be sent: a status that cannot be would be a worse error.
func TestAnySentenceCanBeSent(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 1<<20), "\xff\xfe", strings.Repeat("é", maxSentence), ""} {
		w := errorToWire(&Error{Code: CodeRefused, Message: text, Hint: text})
		if _, err := proto.Marshal(w); err != nil || len(w.Message) > 3*maxSentence {
			t.Errorf("%.10q: %v", text, err)
		}
		if CodeOf(toStatusAndBack(&Error{Code: CodeRefused, Message: text})) != CodeRefused {
			t.Errorf("%.10q lost its code", text)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	const text = "hidden-text"
	r := AuthResponse{Session: NewSecret(text), AuthenticationResult: &AuthenticationResult{RefreshToken: NewSecret(text)}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(format, r) + fmt.Sprintf(format, *r.AuthenticationResult); strings.Contains(got, text) || strings.Contains(got, fmt.Sprintf("%x", text)) {
			t.Errorf("%s prints %s", format, got)
		}
	}
}

func TestValidate(t *testing.T) {
	for name, r := range map[string]interface{ Validate() error }{
		"control character": GetTokensRequest{Selection: Selection{Profile: "a\nb"}},
		"not UTF-8":         GetTokensRequest{Selection: Selection{Username: "\xff"}},
		"long name":         GetTokensRequest{Selection: Selection{Profile: strings.Repeat("a", maxName+1)}},
		"relative file":     ListProfilesRequest{Location: "profiles.ini"},
		"relative location": StatusRequest{Selection: Selection{Location: "../x"}},
		"negative life":     GetTokensRequest{MinTTL: -time.Second},
		"long life":         GetAWSCredentialsRequest{MinTTL: 25 * time.Hour},
		"no scheme":         GetCredentialForHostRequest{URL: "example.com"},
		"other scheme":      GetCredentialForHostRequest{URL: "ftp://example.com"},
		"no host":           GetCredentialForHostRequest{URL: "https:///x"},
		"user in URL":       GetCredentialForHostRequest{URL: "https://u@example.com"},
		"life without if":   LoginRequest{MinTTL: time.Second},
		"no flow":           InitiateAuthRequest{},
		"no challenge":      RespondToAuthChallengeRequest{},
		"long parameter":    InitiateAuthRequest{AuthFlow: "X", AuthParameters: map[string]Secret{"A": NewSecret(strings.Repeat("a", maxValue+1))}},
		"odd parameter":     InitiateAuthRequest{AuthFlow: "X", AuthParameters: map[string]Secret{"A\x00": {}}},
		"long session":      RespondToAuthChallengeRequest{ChallengeName: "X", Session: NewSecret(strings.Repeat("a", maxValue+1))},
	} {
		if err := r.Validate(); err == nil || CodeOf(err) != CodeInvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, r := range []interface{ Validate() error }{
		GetTokensRequest{}, GetTokensRequest{Selection: Selection{Profile: "a b", Location: "/x", Username: "ü@x"}, Use: UseBoth, MinTTL: time.Hour},
		GetCredentialForHostRequest{URL: "https://example.com:8443/a"}, GetCredentialForHostRequest{URL: "http://127.0.0.1:80"}, LoginRequest{IfNeeded: true, MinTTL: time.Hour},
	} {
		if err := r.Validate(); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// The contract is in types of our own: no type of protobuf or gRPC is in what an implementation or a host has to write.
func TestContractHasNoTypeOfTheWire(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var look func(where string, at reflect.Type)
	look = func(where string, at reflect.Type) {
		if seen[at] {
			return
		}
		seen[at] = true
		if strings.Contains(at.PkgPath(), "proto") || strings.Contains(at.PkgPath(), "grpc") {
			t.Errorf("%s is %v", where, at)
		}
		switch at.Kind() {
		case reflect.Interface, reflect.Func:
			for i := range at.NumMethod() {
				look(where+"."+at.Method(i).Name, at.Method(i).Type)
			}
			if at.Kind() == reflect.Func {
				for i := range at.NumIn() {
					look(where, at.In(i))
				}
				for i := range at.NumOut() {
					look(where, at.Out(i))
				}
			}
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan, reflect.Map:
			look(where, at.Elem())
		case reflect.Struct:
			for i := range at.NumField() {
				if f := at.Field(i); f.IsExported() {
					look(where+"."+f.Name, f.Type)
				}
			}
		}
	}
	for _, contract := range []reflect.Type{reflect.TypeFor[Provider](), reflect.TypeFor[Error](), reflect.TypeFor[ServeOptions]()} {
		look(contract.Name(), contract)
	}
	if len(seen) < 40 {
		t.Errorf("only %d types were seen", len(seen))
	}
}
