//go:build unix && !darwin

package transport

// systemBundles are the files in which distributions keep all their roots, most common first.
func systemBundles() []string {
	return []string{
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch, Gentoo, Alpine
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL 7 and later, Amazon Linux
		"/etc/pki/tls/certs/ca-bundle.crt",                  // older RHEL
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/ssl/cert.pem",                                 // OpenBSD, FreeBSD, Alpine
		"/usr/local/etc/ssl/cert.pem",                       // FreeBSD
	}
}
