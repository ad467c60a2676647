package tracer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Do runs a job in a process of its own: the program self, which calls Main when the variable is set.
func Do(self, variable string, j Job) (Report, error) {
	in, err := json.Marshal(j)
	if err != nil {
		return Report{}, err
	}
	cmd := exec.Command(self)
	var out, said bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), variable+"=1"), bytes.NewReader(in), &out, &said
	if err := cmd.Run(); err != nil {
		return Report{}, fmt.Errorf("the tracer: %w: %s", err, said.String())
	}
	var r Report
	return r, json.Unmarshal(out.Bytes(), &r)
}

// Main is the tracer's process: a Job on in, a Report on out. It waits for any child there is, so nothing else may run in
// its process.
func Main(in io.Reader, out io.Writer) error {
	var j Job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return err
	}
	r, err := run(j)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

func run(j Job) (Report, error) {
	runtime.LockOSThread() // a tracer is a thread, not a process
	files, err := standard(j.Stdin)
	if err != nil {
		return Report{}, err
	}
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	attr := &syscall.ProcAttr{Env: j.Env, Sys: &syscall.SysProcAttr{Ptrace: true}}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	pid, err := syscall.ForkExec(j.Path, append([]string{j.Path}, j.Args...), attr)
	if err != nil {
		return Report{}, err
	}
	t := &trace{job: j, root: pid, threads: map[int]*thread{}, processes: map[int]*process{}, seen: map[string]int{}}
	if err := t.follow(pid); err != nil {
		return Report{}, err
	}
	for i, into := range []*string{&t.report.Stdout, &t.report.Stderr} {
		b, err := readAll(files[i+1])
		if err != nil {
			return Report{}, err
		}
		*into = b
	}
	return t.report, nil
}

// standard are files for the standard streams: a file never makes its writer wait.
func standard(stdin string) (files []*os.File, err error) {
	for i := range 3 {
		fd, err := unix.MemfdCreate("standard", unix.MFD_CLOEXEC)
		if err != nil {
			return nil, err
		}
		f := os.NewFile(uintptr(fd), "standard")
		files = append(files, f)
		if i == 0 {
			if _, err := f.WriteAt([]byte(stdin), 0); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

func readAll(f *os.File) (string, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	b, err := io.ReadAll(f)
	return string(b), err
}

// trace is one command being followed. Not safe for concurrent use.
type trace struct {
	job       Job
	root      int
	threads   map[int]*thread
	processes map[int]*process
	seen      map[string]int // how often each name came
	report    Report
}

// thread is one thread of a traced process.
type thread struct {
	process *process
	nr      uint64   // of the call that it is in
	about   string   // the socket or pipe that a read is on
	fail    *failure // to be applied at the call's end
}

type failure struct {
	errno int
	ran   bool // the call was let run; only its result is replaced
}

type process struct {
	pid     int
	role    string
	waiting map[string]bool // sockets and pipes whose next read that brings something is a point
}

const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK |
	unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_EXITKILL

// follow lets the command run until every process that came of it has ended.
func (t *trace) follow(pid int) error {
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
		return err
	}
	if err := unix.PtraceSetOptions(pid, options); err != nil {
		return err
	}
	t.thread(pid).process.role = roleOf(pid)
	_ = unix.PtraceSyscall(pid, 0)
	for {
		tid, err := unix.Wait4(-1, &status, unix.WALL, nil)
		switch {
		case err == unix.EINTR:
		case err == unix.ECHILD:
			return nil
		case err != nil:
			return err
		case status.Exited() || status.Signaled():
			t.ended(tid, status)
		case status.Stopped():
			t.stopped(tid, status)
		}
	}
}

func (t *trace) ended(tid int, status unix.WaitStatus) {
	if tid == t.root {
		t.report.Exit = -1
		if status.Exited() {
			t.report.Exit = status.ExitStatus()
		}
	}
	delete(t.threads, tid)
	delete(t.processes, tid)
}

// stopped handles one stop and lets the thread go on. Errors of ptrace mean that the thread was killed meanwhile: its end
// is reported by itself.
func (t *trace) stopped(tid int, status unix.WaitStatus) {
	th := t.thread(tid)
	deliver := 0
	switch sig := status.StopSignal(); {
	case sig == unix.SIGTRAP|0x80:
		t.call(tid, th)
	case sig == unix.SIGTRAP && status.TrapCause() == unix.PTRACE_EVENT_EXEC:
		th.process.role, th.process.waiting = roleOf(tid), map[string]bool{}
	case sig == unix.SIGTRAP && status.TrapCause() > 0: // a new thread or process: it stops by itself
	case sig == unix.SIGSTOP: // the first stop of a new one
	default:
		deliver = int(sig)
	}
	_ = unix.PtraceSyscall(tid, deliver)
}

// thread finds or makes the account of a thread. A new process has the role Spawn until it runs a program.
func (t *trace) thread(tid int) *thread {
	if th, ok := t.threads[tid]; ok {
		return th
	}
	group := groupOf(tid)
	p, ok := t.processes[group]
	if !ok {
		p = &process{pid: group, role: Spawn, waiting: map[string]bool{}}
		t.processes[group] = p
	}
	th := &thread{process: p}
	t.threads[tid] = th
	return th
}

func groupOf(tid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return tid
	}
	_, rest, ok := strings.Cut(string(text), "\nTgid:")
	group := tid
	if ok {
		fmt.Sscan(rest, &group)
	}
	return group
}

func roleOf(pid int) string {
	program, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	args := strings.Split(string(line), "\x00")
	switch {
	case len(args) > 1 && args[1] == "__renew" && (strings.HasSuffix(program, "/cognito-credhelper-worker") || strings.HasSuffix(program, "/cognito-credhelper-core")):
		return Worker
	case strings.HasSuffix(program, "/cognito-credhelper-core"):
		return Core
	case strings.HasSuffix(program, "/cognito-credhelper"):
		return Front
	}
	return Other
}

// info is struct ptrace_syscall_info of ptrace(2).
type info struct {
	op    uint8
	_     [3]uint8
	arch  uint32
	_     [2]uint64
	first uint64 // entry: the call's number; exit: its result
	args  [6]uint64
	_     uint64
}

const (
	atEntry = 1
	atExit  = 2
)

func syscallInfo(tid int) (i info, err error) {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid), unsafe.Sizeof(i), uintptr(unsafe.Pointer(&i)), 0, 0)
	if errno != 0 {
		return i, errno
	}
	return i, nil
}

func (t *trace) call(tid int, th *thread) {
	i, err := syscallInfo(tid)
	if err != nil {
		return
	}
	switch i.op {
	case atEntry:
		th.nr, th.about = i.first, ""
		t.entry(tid, th, i)
	case atExit:
		t.exit(tid, th, int64(i.first))
	}
}

// entry counts the point, and strikes where it is the one.
func (t *trace) entry(tid int, th *thread, i info) {
	c, known := calls[i.first]
	if !known {
		return
	}
	about := t.about(tid, th.process.pid, c, i)
	switch about.kind {
	case none:
		return
	case stream:
		if c.reads {
			th.about = about.name
			return
		}
		th.process.waiting[about.name] = true
		about.name = about.short
	}
	if !t.here(th.process.role, c.name, about.name, c.file && about.kind == path) {
		return
	}
	if t.job.Strike.Errno == 0 {
		_ = unix.Kill(th.process.pid, unix.SIGKILL)
		return
	}
	th.fail = &failure{errno: t.job.Strike.Errno, ran: c.name == "close"}
	if !th.fail.ran {
		setResult(tid, func(r *unix.PtraceRegs) { r.Orig_rax = ^uint64(0) })
	}
}

// exit applies a failure, and counts what a read brought.
func (t *trace) exit(tid int, th *thread, result int64) {
	if th.fail != nil {
		errno := uint64(-int64(th.fail.errno))
		setResult(tid, func(r *unix.PtraceRegs) { r.Rax = errno })
		th.fail = nil
	}
	if th.about == "" || result <= 0 {
		return
	}
	first, known := th.process.waiting[th.about]
	short, _, _ := strings.Cut(th.about, ":")
	th.process.waiting[th.about] = false
	if known && !first { // more of the same answer
		return
	}
	if t.here(th.process.role, "arrives", short, false) {
		_ = unix.Kill(th.process.pid, unix.SIGKILL)
	}
}

func setResult(tid int, change func(*unix.PtraceRegs)) {
	var regs unix.PtraceRegs
	if unix.PtraceGetRegs(tid, &regs) == nil {
		change(&regs)
		_ = unix.PtraceSetRegs(tid, &regs)
	}
}

// here counts a point and reports whether it is the one to strike at.
func (t *trace) here(role, call, about string, file bool) bool {
	name := strings.TrimSpace(role + " " + call + " " + about)
	t.seen[name]++
	p := Point{Name: fmt.Sprintf("%s #%d", name, t.seen[name]), Role: role, Call: call, File: file}
	t.report.Points = append(t.report.Points, p)
	if t.job.Strike == nil || t.job.Strike.Point != p.Name {
		return false
	}
	t.report.Struck = true
	return true
}
