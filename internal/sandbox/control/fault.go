package control

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kinds of Fault.
const (
	Internal    = "internal"      // 500 InternalErrorException
	Unanswered  = "fail-after"    // works, then answers as Internal does
	HTML502     = "html-502"      // 502 with an HTML page, as a proxy answers
	Throttle    = "throttle"      // 400 TooManyRequestsException
	Refuse      = "error"         // Code and Message, with Status or 400
	Slow        = "slow"          // waits DelayMS, then works and answers
	SlowAnswer  = "slow-answer"   // works, waits DelayMS, then answers
	DropBefore  = "drop-before"   // closes the connection; no work done
	DropAfter   = "drop-after"    // works, then closes the connection without an answer
	SkewDate    = "skew-date"     // answers with a Date header SkewSeconds off
	NoExpiresIn = "no-expires-in" // answers without ExpiresIn
	Reply       = "reply"         // 200 with Body; no work done
	Hang        = "hang"          // never answers; ends when the client goes or the sandbox closes
)

var kinds = []string{Internal, Unanswered, HTML502, Throttle, Refuse, Slow, SlowAnswer, DropBefore, DropAfter, SkewDate, NoExpiresIn, Reply, Hang}

// Fault is what happens to the next Count requests of an operation.
type Fault struct {
	// Operation is a name such as "GetTokensFromRefreshToken"; "*" means every operation.
	Operation string `json:"operation"`
	Kind      string `json:"kind"`
	// Count is how many requests it hits; 0 means 1, -1 means until it is cleared.
	Count       int    `json:"count,omitempty"`
	Status      int    `json:"status,omitempty"`
	Code        string `json:"code,omitempty"`
	Message     string `json:"message,omitempty"`
	DelayMS     int    `json:"delay_ms,omitempty"`
	SkewSeconds int    `json:"skew_seconds,omitempty"`
	// Body is the answer of a Reply: what no user pool of the sandbox's says, such as a challenge of the future.
	Body json.RawMessage `json:"body,omitempty"`
}

// Delay is DelayMS as a duration.
func (f Fault) Delay() time.Duration { return time.Duration(f.DelayMS) * time.Millisecond }

func (f Fault) check() error {
	if f.Operation == "" {
		return fmt.Errorf("a fault needs an operation, or * for all")
	}
	if !slices.Contains(kinds, f.Kind) {
		return fmt.Errorf("%q is no kind of fault; there are %s", f.Kind, strings.Join(kinds, ", "))
	}
	if f.Kind == Refuse && f.Code == "" {
		return fmt.Errorf("a fault of kind error needs a code")
	}
	if f.Kind == Reply && len(f.Body) == 0 {
		return fmt.Errorf("a fault of kind reply needs a body")
	}
	return nil
}

// Faults is the list of faults to come, and the count of requests so far. Safe for concurrent use; the zero value is ready.
type Faults struct {
	mu     sync.Mutex
	list   []Fault
	counts map[string]int
}

// Set adds a fault behind those already there.
func (f *Faults) Set(fault Fault) error {
	if err := fault.check(); err != nil {
		return err
	}
	if fault.Count == 0 {
		fault.Count = 1
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, fault)
	return nil
}

// Clear forgets all faults.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
}

// Pending are the faults that have not happened yet.
func (f *Faults) Pending() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Fault{}, f.list...)
}

// Next counts one request of an operation and takes the fault that hits it, if any.
func (f *Faults) Next(operation string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	f.counts[operation]++
	i := slices.IndexFunc(f.list, func(x Fault) bool { return x.Operation == "*" || x.Operation == operation })
	if i < 0 {
		return Fault{}, false
	}
	hit := f.list[i]
	if f.list[i].Count > 0 {
		f.list[i].Count--
	}
	if f.list[i].Count == 0 {
		f.list = slices.Delete(f.list, i, i+1)
	}
	return hit, true
}

// Requests is the number of requests per operation since the last reset.
func (f *Faults) Requests() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]int{}
	for name, n := range f.counts {
		out[name] = n
	}
	return out
}

// ResetRequests sets every count to zero.
func (f *Faults) ResetRequests() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts = nil
}
