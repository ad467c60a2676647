// Package tracer runs a command under ptrace(2), names every place where it can be stopped, and strikes at one of them:
// it kills the process there, or lets that one system call fail.
//
// A *point* is a system call by which a process asks or changes something outside itself: files, locks, folders, sockets,
// pipes, processes. Its name is the process's role, the call, what it is about, and the how-manieth of that name it is:
// "worker renameat sessions/ID.ses #1". Calls that only touch the process's own memory, threads, timers, and signals are no
// points: they depend on the scheduler, and to die in one of them leaves behind what dying in the next point leaves behind.
// On sockets and pipes, where the number of reads depends on the scheduler too, the point is the first read that brought
// something, struck after it: "arrives".
//
// It guarantees that a strike comes before the call has had any effect (save "arrives", and a failing close, which closes all
// the same), and that Run returns only when every process of the command has ended, detached ones too. Linux on amd64; it
// needs root, because the programs that it watches make themselves undumpable.
package tracer

// Job is one run of a command.
type Job struct {
	Path  string   `json:"path"`
	Args  []string `json:"args"` // without the program's name
	Env   []string `json:"env"`
	Stdin string   `json:"stdin"`
	// Names shorten what stands at the beginning of a path, so that two runs in two folders give the same points.
	Names []Name `json:"names"`
	// Strike is nil for a clean trace.
	Strike *Strike `json:"strike,omitempty"`
}

// Name is a short word for the beginning of a path.
type Name struct {
	Path string `json:"path"`
	Name string `json:"name"`
}

// Strike says what happens at a point.
type Strike struct {
	Point string `json:"point"`
	// Errno is what the call fails with; 0 kills the process (SIGKILL).
	Errno int `json:"errno,omitempty"`
}

// Report is what was seen.
type Report struct {
	Points []Point `json:"points"` // in the order in which they came
	Struck bool    `json:"struck"`
	Exit   int     `json:"exit"` // of the command itself; -1 where a signal ended it
	Stdout string  `json:"stdout"`
	Stderr string  `json:"stderr"`
}

// Point is a place where a process can be stopped.
type Point struct {
	Name string `json:"name"`
	Role string `json:"role"`
	Call string `json:"call"`
	// File is set where the call is one of the file system's.
	File bool `json:"file"`
}

// The roles of processes, by what they run.
const (
	Front  = "front"  // the small program
	Core   = "core"   // the complete program as a caller
	Worker = "worker" // the complete program, detached
	Spawn  = "spawn"  // between fork and exec
	Other  = "other"  // somebody else's program
)
