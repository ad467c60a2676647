package detach

import (
	"slices"
	"strings"
)

// variables is all of the environment that the worker gets: where profiles, the state folder, and certificates are, how
// to reach the network and the keyring, and what messages need. Nothing else in it is the worker's business, such as other
// programs' secrets. docs/security.md has this list.
var variables = []string{
	"HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "COGNITO_CREDHELPER_HOME",
	"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION",
	"AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
	"DBUS_SESSION_BUS_ADDRESS",
	"TZ", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT", "SYSTEMDRIVE", "GOMAXPROCS", "GODEBUG",
	"COGNITO_CREDHELPER_TEST_CLOCK", // read by test builds only
}

// Environment keeps what the worker is to get of environ, which is NAME=value as os.Environ gives it. Windows does not tell upper from lower case, and proxies come in both.
// A worker does one thing after the other and mostly waits: where nobody says otherwise it gets one processor, which saves the
// threads that would look for more to do.
func Environment(environ []string) []string {
	kept := make([]string, 0, len(variables))
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		if slices.Contains(variables, strings.ToUpper(name)) {
			kept = append(kept, v)
		}
	}
	if !slices.ContainsFunc(kept, func(v string) bool { return strings.HasPrefix(v, "GOMAXPROCS=") }) {
		kept = append(kept, "GOMAXPROCS=1")
	}
	return kept
}
