package main

import "testing"

// A machine may name its mirror in either format of apt's lists; what is no archive of Debian's own is passed over.
func TestDebianURL(t *testing.T) {
	for line, want := range map[string]string{
		"URIs: http://mirror.example/debian":                      "http://mirror.example/debian",
		"deb [signed-by=/k.gpg] https://m.example/debian/ x main": "https://m.example/debian/",
		"URIs: http://mirror.example/debian-security":             "",
		"deb https://packages.example/apt stable main":            "",
		"Suites: bookworm": "",
	} {
		if got := debianURL(line); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
