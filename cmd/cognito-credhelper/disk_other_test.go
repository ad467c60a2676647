//go:build !linux

package main_test

import "errors"

func mount(string, string) error { return errors.ErrUnsupported }

func readOnly(string, bool) error { return errors.ErrUnsupported }

func unmount(string) {}
