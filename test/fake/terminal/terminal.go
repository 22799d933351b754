// Package terminal is a card terminal that speaks UPA as Global Payments' own clients expect it: one conversation at a time, ACK before the
// answer, READY after ours, BUSY while a till is at it; it takes payments online and offline, closes batches, and can be made to misbehave.
package terminal

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Trouble is how a terminal misbehaves.
type Trouble string

const (
	None      Trouble = ""
	InUse     Trouble = "in use"    // a till is at it: BUSY
	Silent    Trouble = "silent"    // takes the connection and says nothing
	Garbage   Trouble = "garbage"   // answers as a web server would
	Half      Trouble = "half"      // the answer breaks off
	NoReady   Trouble = "no ready"  // never says READY, as after a restart
	Endless   Trouble = "endless"   // an answer without end
	Impostor  Trouble = "impostor"  // answers another question
	Exhausted Trouble = "exhausted" // gives up waiting: TO
	Deaf      Trouble = "deaf"      // NAK to everything
	Piecemeal Trouble = "piecemeal" // right, a byte at a time
	Refusing  Trouble = "refusing"  // answers reports with Failed
	InParts   Trouble = "in parts"  // a report in two messages
)

// Payment is one card payment that the terminal took. Cents.
type Payment struct {
	Number  int
	Amount  int64
	Tip     int64
	Brand   string
	Masked  string
	Ref     string
	Gateway int64
	At      time.Time
	State   string // "held", "sent", "failed"; "" = online
	Refund  bool
	Void    bool
	Invoice string
}

// Batch is a settlement batch.
type Batch struct {
	ID       int64
	Sequence int
	Opened   time.Time
	Closed   time.Time
	Payments []*Payment
}

// Terminal listens on a loopback port. Safe for concurrent use.
type Terminal struct {
	Serial, Version, System string

	mu      sync.Mutex
	l       net.Listener
	now     func() time.Time
	zone    *time.Location
	trouble Trouble
	inside  bool // a conversation runs
	offline bool // the line to the bank is down: payments are held
	batches []*Batch
	saf     []*Payment
	next    int
	asked   []string // commands, in order
	met     int      // connections that came while another was served
}

// Start listens on a free port of this machine until ctx ends. zone is the clock that it shows.
func Start(ctx context.Context, zone *time.Location, now func() time.Time) (*Terminal, error) {
	return StartAt(ctx, "127.0.0.1:0", zone, now)
}

// StartAt listens on a given address.
func StartAt(ctx context.Context, addr string, zone *time.Location, now func() time.Time) (*Terminal, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	t := &Terminal{Serial: "1850012345", Version: "01.08.00", System: "5.1.2", l: l, now: now, zone: zone, next: 1}
	t.batches = []*Batch{{ID: 990001, Sequence: 1, Opened: now()}}
	context.AfterFunc(ctx, func() { l.Close() })
	go t.accept()
	return t, nil
}

// Address is where it listens.
func (t *Terminal) Address() string { return t.l.Addr().String() }

// Stop takes it off the network.
func (t *Terminal) Stop() { t.l.Close() }

func (t *Terminal) accept() {
	for {
		c, err := t.l.Accept()
		if err != nil {
			return
		}
		go t.serve(c)
	}
}

// Misbehave sets how it behaves from the next conversation on.
func (t *Terminal) Misbehave(x Trouble) { t.do(func() { t.trouble = x }) }

// BankLine cuts or mends the line to the bank; while it is cut, sales are held.
func (t *Terminal) BankLine(up bool) { t.do(func() { t.offline = !up }) }

// Take takes a payment as a till would, and returns it. A negative amount is a refund.
func (t *Terminal) Take(cents int64, brand string) (p Payment) {
	t.do(func() { p = *t.take(cents, 0, brand, "") })
	return p
}

// SendHeld sends what is held; the bank declines the first failed of them.
func (t *Terminal) SendHeld(failed int) { t.do(func() { t.send(failed) }) }

// ForgetSAF empties the list of offline payments, as a terminal does after its end of day.
func (t *Terminal) ForgetSAF() { t.do(func() { t.saf = nil }) }

// EndOfDay closes the open batch.
func (t *Terminal) EndOfDay() (closed Batch) {
	t.do(func() { closed = *t.endOfDay() })
	return closed
}

// Asked lists the commands that came, in order.
func (t *Terminal) Asked() (out []string) {
	t.do(func() { out = append(out, t.asked...) })
	return out
}

// Met counts connections that came while another was served: they got BUSY.
func (t *Terminal) Met() (n int) {
	t.do(func() { n = t.met })
	return n
}

// Talking reports whether a conversation runs.
func (t *Terminal) Talking() (yes bool) {
	t.do(func() { yes = t.inside })
	return yes
}

func (t *Terminal) do(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
}

func (t *Terminal) open() *Batch { return t.batches[len(t.batches)-1] }

func (t *Terminal) take(cents, tip int64, brand, invoice string) *Payment {
	p := &Payment{Number: t.next, Amount: cents, Tip: tip, Brand: brand, Masked: "************1111", Ref: fmt.Sprintf("%012d", 432915804000+t.next),
		Gateway: int64(1800000500 + t.next), At: t.now(), Invoice: invoice}
	if cents < 0 {
		p.Amount, p.Refund = -cents, true
	}
	t.next++
	if t.offline {
		p.State = "held"
		t.saf = append(t.saf, p)
		return p
	}
	t.open().Payments = append(t.open().Payments, p)
	return p
}

func (t *Terminal) send(failed int) {
	for _, p := range t.saf {
		if p.State != "held" {
			continue
		}
		if failed > 0 {
			p.State = "failed"
			failed--
			continue
		}
		p.State = "sent"
		t.open().Payments = append(t.open().Payments, p)
	}
}

func (t *Terminal) endOfDay() *Batch {
	b := t.open()
	b.Closed = t.now()
	t.batches = append(t.batches, &Batch{ID: b.ID + 1, Sequence: b.Sequence + 1, Opened: t.now()})
	return b
}
