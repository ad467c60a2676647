package plugin

import "os"

// parentGone gives a channel that is closed when the process that started this one has ended. forget ends the watch as far as
// it can be ended: the wait for the handle lasts as long as the host or this process.
func parentGone() (gone <-chan struct{}, forget func()) {
	closed := make(chan struct{})
	host, err := os.FindProcess(os.Getppid())
	if err != nil {
		close(closed) // it has ended already
		return closed, func() {}
	}
	go func() {
		_, _ = host.Wait()
		close(closed)
	}()
	return closed, func() {}
}

// unheard is never so: parentGone sees also a host that had died before.
func unheard(*os.File) bool { return false }

// isPrivate is of no use where sockets are not files.
func isPrivate(string) bool { return false }
