// Package forward decides what the agent sends of a stream and what the hub's words mean for it (DESIGN D2). It is pure: time, queue and
// line come from outside, so that a simulation drives the very code that runs in a store. Only the hub's head, proven by a checksum that
// the buffer holds, counts as delivered; a sent message or a broker's receipt proves nothing.
package forward

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/topic"
)

// State is where a stream stands in the buffer.
type State struct {
	Epoch  envelope.Epoch `json:"epoch"`
	Oldest uint64         `json:"oldest"` // first sequence still held, 0 = none
	Last   uint64         `json:"last"`
	Sum    envelope.Sum   `json:"sum"` // at Last
	Acked  uint64         `json:"acked"`
}

// Waiting is how many envelopes the hub has not confirmed.
func (s State) Waiting() uint64 { return s.Last - s.Acked }

// Queue is what forward needs of the buffer.
type Queue interface {
	State(s envelope.Stream) State
	// Peek returns what follows after, in order: at most max envelopes and maxBytes of bodies, but one if there is one. Code invalid when
	// the first of them is damaged.
	Peek(ctx context.Context, s envelope.Stream, after uint64, max, maxBytes int) (envelope.Batch, error)
	// Holds reports whether exactly this Sum stands at seq.
	Holds(ctx context.Context, s envelope.Stream, e envelope.Epoch, seq uint64, sum envelope.Sum) (bool, error)
	// SetAcked moves the proven head.
	SetAcked(s envelope.Stream, e envelope.Epoch, seq uint64)
	// Fork opens a new epoch and seals every row that is held again into it.
	Fork(ctx context.Context, s envelope.Stream, why string) error
}

// Pin remembers the one hub that is obeyed.
type Pin interface {
	Hub(ctx context.Context) (envelope.HubID, error)
	SetHub(ctx context.Context, h envelope.HubID) error
}

// Limits of what is in flight. A batch of 192 KB raw is about 22 KB on the wire; MaxPayload bounds it in any case. A window of ten batches
// lets the hub sync them two or three at a time; with five a drain was a sixth slower on a busy disk (measured).
const (
	batchRows    = 400
	batchBytes   = 192 << 10
	windowRows   = 2000
	windowBytes  = 2 << 20
	helloRetry   = 2 * time.Second
	stallAfter   = 5 * time.Second
	waitLongest  = time.Minute
	standLongest = 5 * time.Minute
)

// Phase is what a stream is doing.
type Phase string

const (
	Offline   Phase = "offline"   // no connection
	Greeting  Phase = "greeting"  // a hello is out
	Streaming Phase = "streaming" // the head is agreed
	Standing  Phase = "standing"  // the hub refuses the device or has stopped the stream: a person must act
)

// Options of a Forwarder. Rand and Nonce are for tests; nil is the real thing.
type Options struct {
	Device  retail.DeviceID
	Stream  envelope.Stream
	Version string
	Rand    *rand.Rand
	Nonce   func() string
	Codec   *envelope.Codec // may be shared by Forwarders that one goroutine owns
}

// Message is one thing to publish.
type Message struct {
	Topic   string
	Payload []byte
	Last    uint64 // the last sequence in it, 0 = a hello
}

// flight is a batch that was sent and is not acknowledged.
type flight struct {
	last  uint64
	rows  int
	bytes int
}

// Forwarder forwards one stream. It is not safe for concurrent use: one goroutine owns it.
type Forwarder struct {
	o     Options
	queue Queue
	pin   Pin

	phase   Phase
	why     string
	nonce   string
	sent    uint64
	flights []flight
	probe   bool      // after a stall or a resend: one batch at a time until the head moves
	tries   int       // consecutive silences
	due     time.Time // when silence has lasted too long
	foreign envelope.HubID
}

// New returns an offline Forwarder.
func New(o Options, q Queue, p Pin) *Forwarder {
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if o.Nonce == nil {
		o.Nonce = func() string { return envelope.NewEpoch().String() }
	}
	if o.Codec == nil {
		o.Codec = envelope.NewCodec()
	}
	return &Forwarder{o: o, queue: q, pin: p, phase: Offline}
}

// Status tells where the stream is and why it waits; foreign is a hub that spoke and is not ours.
func (f *Forwarder) Status() (p Phase, why string, foreign envelope.HubID) {
	return f.phase, f.why, f.foreign
}

// Connected starts a hello: on a new connection, and when the hub says that it is back.
func (f *Forwarder) Connected(now time.Time) {
	f.tries = 0
	f.greet(now)
}

// Disconnected forgets what was in flight.
func (f *Forwarder) Disconnected() {
	f.phase, f.why, f.flights, f.nonce = Offline, "", nil, ""
}

func (f *Forwarder) greet(now time.Time) {
	f.phase, f.nonce, f.flights, f.due = Greeting, "", nil, now
}

func (f *Forwarder) stand(now time.Time, why string) {
	f.phase, f.why, f.flights = Standing, why, nil
	f.tries++
	f.due = now.Add(f.jitter(10*time.Second, standLongest))
}

// jitter is full jitter over base·2^tries, at most longest, never below a tenth of it.
func (f *Forwarder) jitter(base, longest time.Duration) time.Duration {
	d := min(base<<min(f.tries, 10), longest)
	return d/10 + time.Duration(f.o.Rand.Int64N(int64(d)))
}

// Step returns the next message to publish, or nil and how long nothing is due: until then only a word of the hub, an append or a
// connection brings news. Errors are the buffer's.
func (f *Forwarder) Step(ctx context.Context, now time.Time) (*Message, time.Duration, error) {
	switch f.phase {
	case Offline:
		return nil, time.Hour, nil
	case Standing:
		if now.Before(f.due) {
			return nil, f.due.Sub(now), nil
		}
		f.greet(now)
		return f.hello(now)
	case Greeting:
		if now.Before(f.due) {
			return nil, f.due.Sub(now), nil
		}
		return f.hello(now)
	}
	if len(f.flights) > 0 && !now.Before(f.due) {
		f.silence(now)
		if f.phase == Greeting {
			return f.hello(now)
		}
	}
	return f.next(ctx, now)
}

func (f *Forwarder) hello(now time.Time) (*Message, time.Duration, error) {
	st := f.queue.State(f.o.Stream)
	f.nonce = f.o.Nonce()
	f.due = now.Add(helloRetry + f.jitter(helloRetry, waitLongest))
	f.tries++
	body, err := json.Marshal(envelope.Hello{Nonce: f.nonce, Device: f.o.Device, Stream: f.o.Stream, Epoch: st.Epoch, Oldest: st.Oldest, Last: st.Last,
		LastSum: st.Sum, Acked: st.Acked, Version: f.o.Version})
	return &Message{Topic: topic.Hello(f.o.Device, f.o.Stream), Payload: body}, 0, err
}

// silence: what is in flight was not answered in time. The first one is sent again as a probe; after three a hello asks where we are.
func (f *Forwarder) silence(now time.Time) {
	f.tries++
	if f.tries%3 == 0 {
		f.greet(now)
		return
	}
	f.rewind(f.queue.State(f.o.Stream).Acked)
	f.probe = true
}

func (f *Forwarder) rewind(to uint64) { f.sent, f.flights = to, nil }

// next sends a batch if the window has room.
func (f *Forwarder) next(ctx context.Context, now time.Time) (*Message, time.Duration, error) {
	rows, size := 0, 0
	for _, fl := range f.flights {
		rows, size = rows+fl.rows, size+fl.bytes
	}
	if st := f.queue.State(f.o.Stream); f.sent >= st.Last || rows >= windowRows || size >= windowBytes || (f.probe && rows > 0) {
		return nil, f.idle(now), nil
	}
	b, err := f.queue.Peek(ctx, f.o.Stream, f.sent, batchRows, batchBytes)
	if fault.Is(err, fault.Invalid) { // a damaged row: the rest must not wait for it
		if err = f.fork(ctx, now, err.Error()); err == nil {
			return f.hello(now)
		}
	}
	if err != nil || len(b) == 0 {
		return nil, time.Second, err
	}
	payload := f.o.Codec.Encode(b)
	for len(payload) > envelope.MaxPayload && len(b) > 1 {
		b = b[:(len(b)+1)/2]
		payload = f.o.Codec.Encode(b)
	}
	size = 0
	for i := range b {
		size += len(b[i].Body)
	}
	if len(f.flights) == 0 {
		f.due = now.Add(f.jitter(stallAfter, waitLongest) + stallAfter)
	}
	f.sent = b[len(b)-1].Pos.Seq
	f.flights = append(f.flights, flight{f.sent, len(b), size})
	if bug.AckOnPublish {
		f.queue.SetAcked(f.o.Stream, b[0].Pos.Epoch, f.sent)
	}
	return &Message{Topic: topic.Up(f.o.Device, f.o.Stream), Payload: payload, Last: f.sent}, 0, nil
}

func (f *Forwarder) idle(now time.Time) time.Duration {
	if len(f.flights) == 0 {
		return time.Hour
	}
	return max(f.due.Sub(now), time.Millisecond)
}
