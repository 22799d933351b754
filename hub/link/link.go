// Package link is the hub's line to the broker, embedded or any other (DESIGN D4, D5): an ordinary MQTT 3.1.1 client that hears what the
// stores send, hands it to the intake and carries the hub's heads back. It decides nothing and keeps nothing: what gets lost here is sent
// again, because only a head counts. See DESIGN.md.
package link

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/topic"
)

// Intake takes what arrives; it must not block. reply may be called at any time, from any goroutine.
type Intake interface {
	Batch(ctx context.Context, d retail.DeviceID, s envelope.Stream, payload []byte, reply func(envelope.Head))
	Hello(ctx context.Context, h envelope.Hello, reply func(envelope.Head))
}

// Births is told which devices came or went. It may block: what comes meanwhile is merged.
type Births interface {
	Births(ctx context.Context, came map[retail.DeviceID]envelope.Birth) error
}

// Options say where the broker is and which hub we are.
type Options struct {
	URL            string // mqtt://host:port or mqtts://host:port
	User, Password string
	TLS            *tls.Config // for mqtts; nil = the system's authorities, TLS 1.2 and up
	Hub            envelope.HubID
	QoS            byte          // of what the hub hears: 0 (the default) or 1, see DESIGN.md
	RetryLongest   time.Duration // longest wait between two attempts; 0 = 5 s
	Births         Births        // may be nil
	Log            *slog.Logger
}

const (
	keepAlive    = 20 * time.Second
	answerIn     = 15 * time.Second // to connect, to subscribe, to hear our own state
	writeIn      = 20 * time.Second
	retryFirst   = 100 * time.Millisecond
	retryLongest = 5 * time.Second
	settled      = 30 * time.Second // a connection that held so long starts the waits anew
	askSoon      = 5 * time.Second
)

// State tells a person how the line is.
type State struct {
	Connected bool
	Since     time.Time         // when the present connection began
	Err       error             // why the last attempt failed
	Rival     envelope.HubState // another hub that speaks on this broker; zero = none
}

// Link keeps a connection. Start it with Run.
type Link struct {
	o      Options
	intake Intake
	secure *tls.Config
	out    *outbox
	births *births
	kept   *kept
	state  atomic.Pointer[State]

	Heard, Spoken, Strange atomic.Int64 // messages in, heads out, messages nobody can read
}

// New checks the options. Code invalid.
func New(o Options, in Intake) (*Link, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "mqtt" && u.Scheme != "mqtts") {
		return nil, fault.Msg(fault.Invalid, "link", fmt.Sprintf("the broker's address %q is not of the form mqtt://host:port or mqtts://host:port", o.URL))
	}
	if o.Hub == "" || o.QoS > 1 {
		return nil, fault.Msg(fault.Internal, "link", "a hub without an id, or a QoS that no contract has")
	}
	if o.RetryLongest == 0 {
		o.RetryLongest = retryLongest
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l := &Link{o: o, intake: in, out: newOutbox(), births: newBirths(), kept: newKept()}
	if u.Scheme == "mqtts" {
		if l.secure = o.TLS; l.secure == nil {
			l.secure = &tls.Config{ServerName: u.Hostname()}
		}
		l.secure = l.secure.Clone()
		l.secure.MinVersion = max(l.secure.MinVersion, tls.VersionTLS12)
	}
	l.state.Store(&State{})
	return l, nil
}

// State returns how the line is.
func (l *Link) State() State { return *l.state.Load() }

// Run keeps a connection until ctx ends.
func (l *Link) Run(ctx context.Context) error {
	if l.o.Births != nil {
		go l.births.run(ctx, l.o.Births, l.o.Log)
	}
	for tries := 0; ctx.Err() == nil; tries++ {
		held, err := l.session(ctx)
		l.state.Store(&State{Err: err, Rival: l.State().Rival})
		if ctx.Err() != nil {
			break
		}
		if held > settled {
			tries = 0
		}
		l.o.Log.WarnContext(ctx, "the hub has no line to the broker; sales wait safely at the stores", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(min(retryFirst<<min(tries, 10), l.o.RetryLongest)) + 10*time.Millisecond):
		}
	}
	return nil
}

// session is one connection from beginning to end, with a client of its own, so that no state of a broken one survives.
func (l *Link) session(parent context.Context) (held time.Duration, err error) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	begun := time.Now()
	mine := envelope.HubState{Hub: l.o.Hub, Online: true, Since: begun.UTC().Truncate(time.Microsecond)}
	lost, echo := make(chan error, 1), make(chan struct{}, 1)
	c := mqtt.NewClient(l.options(lost, mine))
	defer c.Disconnect(100)
	if err := await(ctx, c.Connect()); err != nil {
		return 0, fault.New(fault.Unavailable, "connect to "+l.o.URL, err)
	}
	l.out.clear()
	l.births.begin()
	if err := l.subscribe(ctx, c, mine, echo); err != nil {
		return 0, err
	}
	if err := l.announce(ctx, c, mine, echo, lost); err != nil {
		return 0, err
	}
	l.state.Store(&State{Connected: true, Since: begun, Rival: l.State().Rival})
	l.o.Log.InfoContext(ctx, "the hub's line to the broker is up", "address", l.o.URL)
	go l.speak(ctx, c, lost)
	go l.assign(ctx, c, lost)
	go l.askAgain(ctx, c, mine, echo, lost)
	select {
	case <-ctx.Done():
		away, bye := mine, context.WithoutCancel(ctx)
		away.Online = false
		t := c.Publish(topic.Hub(), 1, true, encode(away))
		select {
		case <-t.Done():
		case <-time.After(time.Second):
			l.o.Log.DebugContext(bye, "the broker did not take the hub's farewell")
		}
		return time.Since(begun), nil
	case err := <-lost:
		return time.Since(begun), fault.New(fault.Unavailable, "hold the line to "+l.o.URL, err)
	}
}

func (l *Link) options(lost chan<- error, mine envelope.HubState) *mqtt.ClientOptions {
	mine.Online = false
	o := mqtt.NewClientOptions().AddBroker(l.o.URL).SetClientID("hub-"+envelope.NewEpoch().String()).
		SetUsername(l.o.User).SetPassword(l.o.Password).
		SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true).
		SetKeepAlive(keepAlive).SetPingTimeout(10*time.Second).SetConnectTimeout(answerIn).SetWriteTimeout(writeIn).
		SetMessageChannelDepth(0).SetBinaryWill(topic.Hub(), encode(mine), 1, true).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { tell(lost, err) })
	if l.secure != nil {
		o.SetTLSConfig(l.secure.Clone())
	}
	return o
}

// askAgain asks once more for what devices say of themselves: nats-server, the embedded broker, looks at what it keeps before it begins to deliver,
// and keeps a word a moment after it has delivered it, so that a store that comes in this very moment would stand as away until it comes again.
func (l *Link) askAgain(ctx context.Context, c mqtt.Client, mine envelope.HubState, echo chan struct{}, lost chan<- error) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(askSoon):
	}
	t := c.Subscribe(topic.AllBirths, l.o.QoS, func(c mqtt.Client, m mqtt.Message) { l.hear(ctx, c, m, mine, echo) })
	if err := await(ctx, t); err != nil && ctx.Err() == nil {
		tell(lost, err)
	}
}

// subscribe asks for everything that is meant for a hub. A broker that refuses one of them in its answer is told of by name.
func (l *Link) subscribe(ctx context.Context, c mqtt.Client, mine envelope.HubState, echo chan struct{}) error {
	q := l.o.QoS
	t := c.SubscribeMultiple(map[string]byte{topic.AllUp: q, topic.AllHellos: q, topic.AllBirths: q, topic.Hub(): 1}, func(c mqtt.Client, m mqtt.Message) {
		l.hear(ctx, c, m, mine, echo)
	})
	if err := await(ctx, t); err != nil {
		return fault.New(fault.Unavailable, "subscribe at "+l.o.URL, err)
	}
	for name, granted := range t.(*mqtt.SubscribeToken).Result() {
		if granted == 0x80 {
			return fault.Msg(fault.Invalid, "subscribe at "+l.o.URL, "the broker does not let the hub hear "+name+": give its user that right. Sales wait at the stores.")
		}
	}
	return nil
}

// announce tells that the hub is here and waits until it hears that itself: some brokers confirm what they silently throw away.
func (l *Link) announce(ctx context.Context, c mqtt.Client, mine envelope.HubState, echo <-chan struct{}, lost <-chan error) error {
	c.Publish(topic.Hub(), 1, true, encode(mine)) // its receipt proves nothing, the echo does
	select {
	case <-echo:
		return nil
	case err := <-lost:
		return fault.New(fault.Unavailable, "announce the hub at "+l.o.URL+": the broker hung up; if it does so each time, give the hub's user the right to publish "+topic.Hub(), err)
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(answerIn):
		return fault.Msg(fault.Invalid, "announce the hub at "+l.o.URL, "the broker confirms "+topic.Hub()+" and delivers nothing: give the hub's user the right to publish and to hear it. Sales wait at the stores.")
	}
}

// speak publishes heads until the session ends.
func (l *Link) speak(ctx context.Context, c mqtt.Client, lost chan<- error) {
	for {
		h, ok := l.out.next(ctx)
		if !ok {
			return
		}
		h.At = time.Now().UTC() // an agent sees by it whether its clock is right
		t := c.Publish(topic.Head(h.Device, h.Stream), 0, false, encode(h))
		select {
		case <-t.Done():
		case <-ctx.Done():
			return
		}
		if err := t.Error(); err != nil {
			tell(lost, err)
			return
		}
		l.Spoken.Add(1)
	}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: encode: " + err.Error())
	}
	return b
}

func tell(lost chan<- error, err error) {
	select {
	case lost <- err:
	default:
	}
}

// await never waits for ever: a token of a dying client may stay open.
func await(ctx context.Context, t mqtt.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(answerIn):
		return errors.New("the broker did not answer in time")
	}
}
