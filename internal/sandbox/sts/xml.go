package sts

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/xml"

	"github.com/cognito-credhelper/cognito-credhelper/internal/sandbox/wire"
)

type errorResponse struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Error     xmlError
	RequestId string
}

type xmlError struct{ Type, Code, Message string }

// ErrorXML is the Query protocol's form of an error, and its HTTP status.
func ErrorXML(e *wire.Error) (int, []byte) {
	kind := "Sender"
	if e.HTTPStatus() >= 500 {
		kind = "Receiver"
	}
	body, _ := xml.Marshal(&errorResponse{Error: xmlError{kind, e.Code, e.Message}, RequestId: wire.NewRequestID()})
	return e.HTTPStatus(), append(body, '\n')
}

// roleID is a role's unique id ("AROA…"), which follows from its ARN.
func roleID(arn string) string {
	sum := sha256.Sum256([]byte(arn))
	return "AROA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}
