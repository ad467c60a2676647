package main_test

import "syscall"

func mount(folder, size string) error {
	return syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+size+",mode=700")
}

func unmount(folder string) { syscall.Unmount(folder, syscall.MNT_DETACH) }
