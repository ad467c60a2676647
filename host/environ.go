package host

import (
	"os"
	"runtime"
	"slices"
	"strings"
)

// passed are the variables that the plugin gets of the host's environment. Whatever else is there, such as the keys of other
// services, stays with the host. PATH is not among them: the plugin starts nothing by name.
var passed = []string{
	"HOME", "USER", "LOGNAME", "TZ", // who and where
	"LANG", "LANGUAGE", "LC_*", // locale
	"TMPDIR", "TMP", "TEMP", // temp files
	"XDG_*", "DBUS_SESSION_BUS_ADDRESS", // folders, and the desktop's secret store
	"AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", // which profile
	"AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", // whom to trust
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
	"COGNITO_CREDHELPER_*", // our own
}

// withheld are ours that mean something else to a plugin.
var withheld = []string{"COGNITO_CREDHELPER_REATTACH", "COGNITO_CREDHELPER_FRONT", "COGNITO_CREDHELPER_PLUGIN"}

// windows are what a program needs there to work at all.
var windows = []string{"SYSTEMROOT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "USERNAME"}

// Environ gives the part of an environment (NAME=VALUE, as os.Environ has it) that a plugin gets.
func Environ(environ []string) []string {
	var kept []string
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		if !slices.Contains(withheld, name) && (listed(passed, name) || runtime.GOOS == "windows" && listed(windows, strings.ToUpper(name))) {
			kept = append(kept, v)
		}
	}
	return kept
}

func listed(list []string, name string) bool {
	return slices.ContainsFunc(list, func(l string) bool {
		begin, wild := strings.CutSuffix(l, "*")
		return l == name || wild && strings.HasPrefix(name, begin)
	})
}

func environ(o Options) []string { return append(Environ(os.Environ()), o.Env...) }
