package main_test

import "syscall"

func mount(folder, size string) error {
	return syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+size+",mode=700")
}

// readOnly remounts it so that nothing can be written, or as it was.
func readOnly(folder string, yes bool) error {
	flags := uintptr(syscall.MS_REMOUNT)
	if yes {
		flags |= syscall.MS_RDONLY
	}
	return syscall.Mount("", folder, "", flags, "")
}

func unmount(folder string) { syscall.Unmount(folder, syscall.MNT_DETACH) }
