package setup

import "github.com/cognito-credhelper/cognito-credhelper/profiles"

// Reach says in one line what whoever holds a credential of kind can do with it: the one place of these words. kind is that of a
// binding. p is the profile that it comes from, as far as it is known.
func Reach(kind string, p profiles.Profile) string {
	const asYou = "until it expires whoever has it can act as you wherever it is taken"
	switch kind {
	case "access":
		return asYou + "; with the scope aws.cognito.signin.user.admin, which every sign-in without a browser gives, it can also change or delete your account"
	case "id":
		if p.IdentityPoolID != "" {
			return asYou + ", and buy AWS credentials from identity pool " + p.IdentityPoolID
		}
		return asYou + ", and buy AWS credentials from any identity pool or role that trusts the app client"
	case "ecr":
		return "for 12 hours whoever has it can do in that registry what your AWS role can"
	case "codeartifact":
		return "until it expires whoever has it can do in all repositories of that domain what your AWS role can"
	case "codecommit":
		return "for 15 minutes whoever has it can do in that repository what your AWS role can"
	case "eks":
		return "for 15 minutes whoever has it can act in that cluster as your AWS role"
	default:
		return "whoever has it can act as you"
	}
}
