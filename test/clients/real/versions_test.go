package real

import "testing"

// The oldest and the newest version of each client that can be had, beside the one that the machine has: each sends what our
// answer gave it. docs/clients.md says which those are, and which cannot be had.

func TestTofuInit(t *testing.T) { terraformInit(t, need(t, "tofu", "tofu", "version")) }

func TestGoOldestModDownload(t *testing.T) {
	modDownload(t, need(t, "go-oldest", "go-oldest", "version"))
}

func TestGoOldestSecondChance(t *testing.T) {
	goSecondChance(t, need(t, "go-oldest", "go-oldest", "version"))
}

// Go 1.24 finds no credential of a path that is above a URL.
func TestGoOldestBelowAPath(t *testing.T) {
	belowAPath(t, need(t, "go-oldest", "go-oldest", "version"))
}

func TestGoNewestModDownload(t *testing.T) {
	modDownload(t, need(t, "go-newest", "go-newest", "version"))
}

func TestGoNewestSecondChance(t *testing.T) {
	goSecondChance(t, need(t, "go-newest", "go-newest", "version"))
}

// An old pip asks for the password of a user that the URL names, a new one for both, as JSON.
func TestPipOldestDownload(t *testing.T) {
	downloads(t, need(t, "pip-oldest", "pip-oldest", "--version"))
}

func TestPipNewestDownload(t *testing.T) {
	downloads(t, need(t, "pip-newest", "pip-newest", "--version"), subprocess...)
}

func TestPnpmOldestAdd(t *testing.T) { adds(t, need(t, "pnpm-oldest", "pnpm-oldest", "--version")) }

func TestPnpmNewestAdd(t *testing.T) { adds(t, need(t, "pnpm-newest", "pnpm-newest", "--version")) }

// kubectl 1.20 knows v1beta1 only.
func TestKubectlOldestGetRaw(t *testing.T) {
	getsRaw(t, need(t, "kubectl-oldest", "kubectl-oldest", "version", "--client"), "v1beta1")
}

func TestKubectlNewestGetRaw(t *testing.T) {
	kubectl := need(t, "kubectl-newest", "kubectl-newest", "version", "--client")
	for _, api := range []string{"v1", "v1beta1"} {
		t.Run(api, func(t *testing.T) { getsRaw(t, kubectl, api) })
	}
}

// docker 20.10 inspects no manifest of OCI's form.
func TestDockerOldestManifestInspect(t *testing.T) {
	inspects(t, need(t, "docker-oldest", "docker-oldest", "--version"), "before-oci")
}

func TestDockerNewestManifestInspect(t *testing.T) {
	inspects(t, need(t, "docker-newest", "docker-newest", "--version"), "1")
}

func TestCargoOldestFetch(t *testing.T) {
	fetches(t, need(t, "cargo-oldest", "cargo-oldest", "--version"))
}

func TestCargoNewestFetch(t *testing.T) {
	fetches(t, need(t, "cargo-newest", "cargo-newest", "--version"))
}
