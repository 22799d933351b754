package terminal

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/upa"
)

const (
	dialWait = 3 * time.Second  // a terminal on the store's own network answers at once or is off
	talkWait = 20 * time.Second // a report of a full batch is printed nowhere and takes some seconds
	// pause between two conversations of ours: a terminal frees itself only when it has noticed the end of the last (the vendor's own clients
	// wait as long), and a till gets its chance.
	pause = 300 * time.Millisecond
	// maxMessages bounds one answer: a report comes in a few.
	maxMessages = 100
)

// errBusy: a till is using the terminal. We give way at once and count it as no failure: it works.
var errBusy = errors.New("a till is using the terminal")

// talk holds one conversation: command, ACK, answers, our ACK, READY. The connection is closed after it, so that a till never waits for us.
// Errors: errBusy; code unavailable for everything that a later try may mend, garbage included: a terminal that restarts sends some.
func (t *Terminal) talk(ctx context.Context, c upa.Command) ([]upa.Answer, error) {
	t.line.Lock()
	defer t.line.Unlock()
	if wait := t.o.Pause - time.Since(t.hungUp); wait > 0 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
	defer func() { t.hungUp = time.Now() }()
	t.turn++
	id := strconv.Itoa(t.turn)
	ask, err := upa.Encode(c, t.o.Register, id)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: dialWait}
	conn, err := d.DialContext(ctx, "tcp", t.o.Address)
	if err != nil {
		return nil, away(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(talkWait)); err != nil {
		return nil, away(err)
	}
	if _, err := conn.Write(ask); err != nil {
		return nil, away(err)
	}
	return hear(conn, upa.Name(c), id)
}

// hear reads what the terminal answers to the question of that name and id, acknowledging each message, until it is ready again.
func hear(conn net.Conn, name, id string) (out []upa.Answer, err error) {
	s := bufio.NewScanner(conn)
	s.Buffer(make([]byte, 0, 4096), upa.MaxFrame+64)
	s.Split(upa.Split)
	for range maxMessages {
		if !s.Scan() {
			if err := s.Err(); err != nil {
				return nil, away(err)
			}
			if len(out) > 0 {
				return out, nil // some versions go without READY
			}
			return nil, away(errors.New("the terminal hung up without an answer"))
		}
		a, err := upa.Read(s.Bytes())
		if err != nil {
			return nil, away(err)
		}
		switch a.Kind {
		case upa.Busy:
			return nil, errBusy
		case upa.Nak:
			return nil, away(errors.New("the terminal does not understand the question"))
		case upa.TimedOut:
			return nil, away(errors.New("the terminal gave up waiting"))
		case upa.Ready:
			if len(out) > 0 {
				return out, nil
			}
		case upa.Msg:
			if a.Command != name || a.ID != id {
				return nil, away(errors.Join(upa.ErrGarbage, errors.New("it answers another question")))
			}
			out = append(out, a)
			if _, err := conn.Write(upa.Acknowledge()); err != nil {
				return nil, away(err)
			}
		}
	}
	return nil, away(errors.Join(upa.ErrGarbage, errors.New("the answer has no end")))
}

func away(err error) error { return fault.New(fault.Unavailable, "ask terminal", err) }

// Check asks the terminal whether it is there, whatever the hour. A terminal that is busy is there.
func (t *Terminal) Check(ctx context.Context) error {
	as, err := t.talk(ctx, upa.Ping{})
	if errors.Is(err, errBusy) {
		return nil
	}
	if err == nil {
		err = as[0].Refused()
	}
	return err
}
