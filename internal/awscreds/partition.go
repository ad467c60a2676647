package awscreds

import (
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cognito-credhelper/cognito-credhelper/profiles"
)

// partition is one of AWS's partitions: its name in ARNs, how its regions' names begin, and its domain.
type partition struct{ name, prefix, suffix string }

// partitions are all but the first one. AWS GovCloud (US) is under the first one's domain.
var partitions = []partition{
	{"aws-us-gov", "us-gov-", "amazonaws.com"},
	{"aws-cn", "cn-", "amazonaws.com.cn"},
	{"aws-eusc", "eusc-", "amazonaws.eu"},
	{"aws-iso", "us-iso-", "c2s.ic.gov"},
	{"aws-iso-b", "us-isob-", "sc2s.sgov.gov"},
	{"aws-iso-f", "us-isof-", "csp.hci.ic.gov"},
	{"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk"},
}

func partitionIn(region string) partition {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.prefix) {
			return p
		}
	}
	return partition{"aws", "", "amazonaws.com"}
}

func suffix(region string) string { return partitionIn(region).suffix }

func partitionOf(region string) string { return partitionIn(region).name }

// fips is what the profile says of FIPS endpoints. The SDK does not switch to them by itself where there are no others.
func fips(p profiles.Profile, otherwise bool) aws.FIPSEndpointState {
	if on(p.UseFIPS, otherwise) {
		return aws.FIPSEndpointStateEnabled
	}
	return aws.FIPSEndpointStateUnset
}

func dualStack(p profiles.Profile) aws.DualStackEndpointState {
	if on(p.UseDualStack, false) {
		return aws.DualStackEndpointStateEnabled
	}
	return aws.DualStackEndpointStateUnset
}

func on(setting *bool, otherwise bool) bool {
	if setting == nil {
		return otherwise
	}
	return *setting
}

// loopback reports whether a host is a literal loopback address.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
