// Command hello is the yardstick of the benchmarks: the least that a Go program with package os can do.
package main

import "os"

func main() { os.Stdout.WriteString("hello, world\n") }
