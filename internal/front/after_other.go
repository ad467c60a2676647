//go:build !linux

package front

import "time"

func after(d time.Duration, f func()) { time.AfterFunc(d, f) }
