package cli

import "os"

// forwarded are the signals that must not end this process before its command. Windows itself tells the command.
func forwarded() []os.Signal { return []os.Signal{os.Interrupt} }

// fromTerminal reports that the console tells every process of it.
func fromTerminal(os.Signal) bool { return true }

// endedBy is 0: Windows ends processes with an exit code.
func endedBy(*os.ProcessState) int { return 0 }
