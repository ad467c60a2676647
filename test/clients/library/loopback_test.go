package library

import (
	"io"
	"log"
	"testing"
)

func discard(t *testing.T) *log.Logger {
	t.Helper()
	return log.New(io.Discard, "", 0)
}
