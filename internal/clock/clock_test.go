package clock

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestNowCanBeStored(t *testing.T) {
	now := Now()
	if now.Wall.Location() != time.UTC {
		t.Errorf("wall clock in %v, want UTC", now.Wall.Location())
	}
	if s := now.Wall.String(); strings.Contains(s, "m=") {
		t.Errorf("wall clock has a monotonic part: %s", s)
	}
}

func TestBootNeverGoesBack(t *testing.T) {
	before := Now().Boot
	if before <= 0 {
		switch runtime.GOOS {
		case "linux", "darwin", "windows":
			t.Fatalf("no boot clock on %s", runtime.GOOS)
		default:
			t.Skipf("no boot clock on %s", runtime.GOOS)
		}
	}
	for range 1000 {
		if now := Now().Boot; now < before {
			t.Fatalf("boot clock went from %v to %v", before, now)
		} else {
			before = now
		}
	}
}
