package tokencache

import "strings"

// What is derived from AWS credentials is kept among them, under a record that tells it apart. The front and the complete
// program make that record alike.

// DerivedRecord names something derived: its kind, the record of the AWS credentials that it is made from, and its place.
func DerivedRecord(kind, from, place string) string { return kind + " " + from + " " + place }

// SplitDerived takes a record of DerivedRecord apart; place is "" for any other.
func SplitDerived(record string) (kind, from, place string) {
	kind, rest, _ := strings.Cut(record, " ")
	from, place, _ = strings.Cut(rest, " ")
	return kind, from, place
}

// DerivedPlace is where something derived is for. Only a git password is for one path; user is the binding's.
func DerivedPlace(kind, authority, path, user string) string {
	if kind == "codecommit" {
		authority += "/" + strings.TrimPrefix(path, "/")
	}
	if user != "" {
		authority += " " + user
	}
	return authority
}

// DeriveWork names the renewal of a record in the session's record of attempts.
func DeriveWork(record string) string { return "derive " + record }
