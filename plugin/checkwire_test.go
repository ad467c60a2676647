package plugin

import "testing"

// On TCP nobody is served without the certificates of AutoMTLS; on a private socket anybody who reaches it is.
func TestTCPNeedsCertificates(t *testing.T) {
	for _, c := range []struct{ tcp, certificates, served bool }{
		{false, false, true}, {false, true, true}, {true, true, true}, {true, false, false},
	} {
		err := checkWire(c.tcp, c.certificates)
		if (err == nil) != c.served || err != nil && CodeOf(err) != CodeInvalidRequest {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
