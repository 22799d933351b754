package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Meaning is what an envelope says. An intact one that cannot be understood or posted is Refused: it is kept raw, listed and passed by.
type Meaning struct {
	Record  retail.Record // nil for kinds without a record, and when it could not be read
	Entry   *ledger.Entry // nil when it moves no money
	Version ledger.Version
	Warning string // understood, but worth a line on the ticket's page
	Refused error
	Key     retail.Key          // whose ticket or drawer event it is; of one that could not be read, as far as it tells
	Day     retail.BusinessDate // of one that is not booked: the day in whose books it lacks, "" = it does not say
	// Gather, when set, says that the record is rows of a ticket of which other files may have more: what it means takes the bodies of all records
	// under its key, in the order in which they came. All else is empty then, but Key and Place, the location that the rows speak for.
	Gather func(bodies [][]byte) Meaning
	Place  retail.LocationCode
	Took   []int // of a gathered one: which of the bodies had rows of it
}

// ErrUnplaced as a Refused's cause: the record is good, and nobody has said yet how its location counts its days. One question about the
// location stands for all such records; they are read again when it is answered.
var ErrUnplaced = errors.New("the time zone of its location is not known yet")

// Accepted is one envelope to commit with its meaning.
type Accepted struct {
	Env     *envelope.Envelope
	Meaning Meaning
}

// Advance is consecutive envelopes of one lane that continue its head.
type Advance struct {
	From   Head // the head that they continue: the store compares and swaps
	Envs   []Accepted
	Packed []byte // the agent's batch that holds them, as it came; it may begin earlier
}

// Inbox is what ingest needs of the store.
type Inbox interface {
	// Head returns the lane's head; an unknown lane is the zero Head.
	Head(ctx context.Context, d retail.DeviceID, s envelope.Stream, e envelope.Epoch) (Head, error)
	// SumAt returns the Sum kept at seq, ok = false when there is none.
	SumAt(ctx context.Context, h Head, seq uint64) (sum envelope.Sum, ok bool, err error)
	// Commit stores all advances with their meanings and heads in one transaction. A head that is not From any more is code conflict.
	Commit(ctx context.Context, advances []Advance) error
	// Parts returns the bodies of envelopes from…to of a lane, for a record whose first parts came before a restart. Code not_found when
	// these are not the first parts of one record.
	Parts(ctx context.Context, h Head, from, to uint64) ([][]byte, error)
}

// Registry is what ingest asks of the devices.
type Registry interface {
	// Sender tells what d may send; it is asked once per batch, so that what a person changes holds for the next one.
	Sender(ctx context.Context, d retail.DeviceID) (Sender, error)
	// Stop marks a stream as waiting for a person and opens c.
	Stop(ctx context.Context, h Head, d retail.DeviceID, s envelope.Stream, e envelope.Epoch, c cases.Case) error
	CaseBook
}

// Sender is what a device may send.
type Sender struct {
	Refusal string // why it may send nothing, "" = it may
	May     []Assignment
}

// Assignment lets a device speak for a location from Since until before Until; a zero Until has no end, and the location "*" is every one.
type Assignment struct {
	Location     retail.LocationCode
	Since, Until time.Time
}

// Speaks reports whether the device may speak for l at t.
func (s Sender) Speaks(l retail.LocationCode, t time.Time) bool {
	return slices.ContainsFunc(s.May, func(a Assignment) bool {
		return (a.Location == l || a.Location == "*") && !t.Before(a.Since) && (a.Until.IsZero() || t.Before(a.Until))
	})
}

// Refuses says why the device may not tell a record: the envelope's location, or the one that the record itself names, is not assigned to it at that
// time. An agent that is not ours may leave the first one out, or write another. nil = it may.
func (s Sender) Refuses(e *envelope.Envelope, m Meaning) error {
	for _, l := range []retail.LocationCode{e.Location, cmp.Or(m.Place, retail.Where(m.Record))} {
		if l != "" && !s.Speaks(l, e.At) {
			return fault.New(fault.Conflict, "record "+e.Key, fmt.Errorf("location %q is not assigned to device %s: assign it, then retry the case", l, e.Device))
		}
	}
	return nil
}

// CaseBook is where ingest lists what a person should know.
type CaseBook interface {
	// Open opens or renews a case.
	Open(ctx context.Context, c cases.Case) error
	// Settle closes a case whose cause is gone; one that is not open is left alone.
	Settle(ctx context.Context, id, why string) error
}

// Reply sends the hub's word back to a device. It must not block: a lost reply is asked for again.
type Reply = func(envelope.Head)

// Intake is safe for concurrent use. Start it with Run, hand it payloads with Batch and Hello.
type Intake struct {
	Hub      envelope.HubID
	Inbox    Inbox
	Registry Registry
	Mean     func(e *envelope.Envelope) Meaning // pure: decode and post
	Log      *slog.Logger
	Count    Counters

	mu      sync.Mutex
	lanes   map[laneKey]*lane
	commit  chan submission
	stopped chan struct{} // closed when Run ends: the lanes end with it, not with the connection that made them
	workers chan struct{} // one token for each batch that is being decoded and posted
	waiting atomic.Int64  // bytes in all lanes' queues
	codecs  sync.Pool
}

// Counters are the intake's metrics.
type Counters struct {
	// Offered and Envelopes are records that came and that were committed; the others count batches, but Refused, which counts records.
	Offered, Envelopes, Batches, Commits, Duplicates, Resends, Forks, Damaged, Refused, Dropped atomic.Int64
}

// Limits: an agent keeps less than this in flight; more is dropped and asked for again.
const (
	laneQueue   = 64        // batches of one lane that wait
	queuedMost  = 256 << 20 // bytes of all lanes that wait: a whole fleet may come back at once
	laneFlight  = 64        // batches of one lane that are with the committer
	commitMax   = 400       // envelopes in one transaction: beyond 200 the cost of a commit is spread thin enough
	damageLimit = 3         // the same damage so often stops the stream
)

type laneKey struct {
	device retail.DeviceID
	stream envelope.Stream
}

type submission struct {
	adv  Advance
	done func(error)
}

// New returns an intake; Mean, Inbox and Registry are the caller's.
func New(hub envelope.HubID, inbox Inbox, reg Registry, mean func(*envelope.Envelope) Meaning, log *slog.Logger) *Intake {
	return &Intake{Hub: hub, Inbox: inbox, Registry: reg, Mean: mean, Log: log, lanes: map[laneKey]*lane{}, commit: make(chan submission, 64),
		stopped: make(chan struct{}), workers: make(chan struct{}, 2*runtime.GOMAXPROCS(0)),
		codecs: sync.Pool{New: func() any { return envelope.NewCodec() }}}
}

// Run commits until ctx ends; call it once. A commit that has begun is finished, and whatever was not committed was not acknowledged.
func (in *Intake) Run(ctx context.Context) error {
	defer close(in.stopped)
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-in.commit:
			in.commitGroup(context.WithoutCancel(ctx), in.group(s))
		}
	}
}

// group takes whatever else is waiting: nothing waits for a timer, so one ticket alone is committed at once.
func (in *Intake) group(first submission) []submission {
	group, n := []submission{first}, len(first.adv.Envs)
	for n < commitMax {
		select {
		case s := <-in.commit:
			group = append(group, s)
			n += len(s.adv.Envs)
		default:
			return group
		}
	}
	return group
}

// commitGroup commits a group in one transaction, and each submission alone when that fails, so that one device's trouble is its own.
func (in *Intake) commitGroup(ctx context.Context, group []submission) {
	failpoint.Hit("ingest.commit.before")
	all := make([]Advance, len(group))
	for i, s := range group {
		all[i] = s.adv
	}
	err := in.Inbox.Commit(ctx, all)
	if err == nil {
		failpoint.Hit("ingest.commit.after")
		in.Count.Commits.Add(1)
	}
	if bug.AckFailedCommit {
		err = nil
	}
	for _, s := range group {
		if err == nil {
			s.done(nil)
		} else {
			s.done(in.commitAlone(ctx, s.adv))
		}
	}
}

// commitAlone tries thrice; a permanent error then stores the raw envelopes without their meaning: one record never blocks a store.
func (in *Intake) commitAlone(ctx context.Context, a Advance) error {
	var err error
	for range 3 {
		if err = in.Inbox.Commit(ctx, []Advance{a}); err == nil || fault.Retryable(err) || fault.Is(err, fault.Conflict) {
			return err
		}
	}
	in.Log.ErrorContext(ctx, "cannot commit with its meaning; storing it raw", "device", a.Envs[0].Env.Device, "position", a.Envs[0].Env.Pos, "err", err)
	raw := Advance{From: a.From, Packed: a.Packed, Envs: make([]Accepted, len(a.Envs))}
	for i, e := range a.Envs {
		raw.Envs[i] = Accepted{Env: e.Env, Meaning: Meaning{Refused: fault.New(fault.Internal, "store "+e.Env.Key, err)}}
	}
	return in.Inbox.Commit(ctx, []Advance{raw})
}

// Hello answers a stream's hello once everything that came before it on the same stream is done.
func (in *Intake) Hello(ctx context.Context, h envelope.Hello, reply Reply) {
	in.enqueue(ctx, laneKey{h.Device, h.Stream}, work{hello: &h, reply: reply})
}

// Batch takes a payload that arrived for a device and stream; the device is the topic's, which the broker has proven.
func (in *Intake) Batch(ctx context.Context, d retail.DeviceID, s envelope.Stream, payload []byte, reply Reply) {
	in.enqueue(ctx, laneKey{d, s}, work{payload: payload, reply: reply})
}

func (in *Intake) enqueue(ctx context.Context, k laneKey, w work) {
	in.mu.Lock()
	l := in.lanes[k]
	if l == nil {
		l = &lane{in: in, key: k, queue: make(chan work, laneQueue)}
		in.lanes[k] = l
		go l.run(context.WithoutCancel(ctx))
	}
	in.mu.Unlock()
	size := int64(len(w.payload))
	if in.waiting.Add(size) <= queuedMost {
		select {
		case l.queue <- w:
			return
		default:
		}
	}
	in.waiting.Add(-size)
	in.Count.Dropped.Add(1) // the agent sends again from the head
}

// decode proves a payload and that it belongs where it came from.
func (in *Intake) decode(k laneKey, payload []byte) (envelope.Batch, error) {
	c := in.codecs.Get().(*envelope.Codec)
	defer in.codecs.Put(c)
	b, err := c.Decode(payload)
	if err != nil {
		return nil, err
	}
	if b[0].Device != k.device || b[0].Stream != k.stream {
		return nil, fault.New(fault.Invalid, "take batch", fmt.Errorf("it claims to be %s/%s and came as %s/%s", b[0].Device, b[0].Stream, k.device, k.stream))
	}
	return b, nil
}
