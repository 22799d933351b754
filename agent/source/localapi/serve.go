package localapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxHead   = 64 << 10         // bytes of a request's head
	headWait  = 10 * time.Second // for the rest of a head that has begun, so that nobody holds a connection by saying nothing
	lastWords = 2 * time.Second  // for requests under way when the door closes
	hearOut   = 500 * time.Millisecond
	keptReply = 16 << 10  // room for replies that a connection keeps
	mayDrain  = 256 << 10 // of a body that nobody read, before the connection is given up instead
)

// Serve answers requests by h until ctx ends; those under way are answered still. It closes l. The error is that of l.
//
// It is net/http's server without what a till at the same PC does not need. That one reads on in another goroutine while a request is being
// answered, to notice that its client went away: further threads are woken for each ticket, and at a PC with two cores a ticket's way through
// the door takes 140 µs beside its commit, here 80 (measured). Requests are read by net/http as there.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	d := &door{handler: h, log: log, open: map[*caller]bool{}}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	err := d.accept(l)
	if ctx.Err() != nil {
		err = nil
	}
	l.Close()
	d.close()
	return err
}

// door is who is connected.
type door struct {
	handler http.Handler
	log     *slog.Logger
	wait    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[*caller]bool // true while a request is under way
}

func (d *door) accept(l net.Listener) error {
	pause := time.Millisecond
	for {
		conn, err := l.Accept()
		var passing interface{ Temporary() bool } // too many open files, mostly
		if errors.As(err, &passing) && passing.Temporary() && !errors.Is(err, net.ErrClosed) {
			time.Sleep(pause)
			pause = min(2*pause, time.Second)
			continue
		}
		if err != nil {
			return err
		}
		pause = time.Millisecond
		c := &caller{door: d, conn: conn}
		d.mark(c, false)
		d.wait.Go(c.serve)
	}
}

// mark says whether a request of c is under way; ok is false when the door is closed.
func (d *door) mark(c *caller, busy bool) (ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[c] = busy
	return !d.closed
}

func (d *door) forget(c *caller) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, c)
}

// close lets those under way finish, for a while.
func (d *door) close() {
	d.mu.Lock()
	d.closed = true
	for c, busy := range d.open {
		if !busy {
			c.conn.Close()
		}
	}
	d.mu.Unlock()
	late := time.AfterFunc(lastWords, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		for c := range d.open {
			c.conn.Close()
		}
	})
	defer late.Stop()
	d.wait.Wait()
}

// caller is a connection: one goroutine reads a request, answers it, and reads the next.
type caller struct {
	door *door
	conn net.Conn
	in   *bufio.Reader
	head bool // one is read
	left int  // bytes that it may still have
	body bytes.Buffer
	out  bytes.Buffer
}

// Read implements io.Reader: the connection, as far as a head may go.
func (c *caller) Read(p []byte) (int, error) {
	if c.head {
		if c.left <= 0 {
			return 0, errLongHead
		}
		p = p[:min(len(p), c.left)]
	}
	n, err := c.conn.Read(p)
	c.left -= n
	return n, err
}

var (
	errLongHead = errors.New("its head is too long")
	errVersion  = errors.New("only HTTP/1.1 is spoken here")
)

func (c *caller) serve() {
	defer func() {
		if p := recover(); p != nil {
			c.door.log.Error("BUG: a request at the door for tills ended in a panic; nothing of it was kept, and the till was not told that it was", "panic", p, "stack", string(debug.Stack()))
		}
		c.door.forget(c)
		c.conn.Close()
	}()
	c.in = bufio.NewReader(c)
	for c.answer() && c.door.mark(c, false) {
	}
}

// answer reads a request and answers it; more is false when the connection ends.
func (c *caller) answer() (more bool) {
	r, err := c.request()
	if err != nil {
		var gone net.Error
		switch {
		case errors.Is(err, io.EOF) || errors.As(err, &gone):
		case errors.Is(err, errLongHead):
			c.refuse(http.StatusRequestHeaderFieldsTooLarge, "this is no request of a till: "+err.Error())
		case errors.Is(err, errVersion):
			c.refuse(http.StatusHTTPVersionNotSupported, err.Error())
		default:
			c.refuse(http.StatusBadRequest, "this is no request: "+err.Error())
		}
		return false
	}
	switch e := r.Header.Get("Expect"); {
	case strings.EqualFold(e, "100-continue"):
		if _, err := io.WriteString(c.conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return false
		}
	case e != "":
		c.refuse(http.StatusExpectationFailed, "what the request expects is not known here: "+e)
		return false
	}
	c.body.Reset()
	w := &reply{body: &c.body}
	c.door.handler.ServeHTTP(w, r)
	rest, err := io.Copy(io.Discard, io.LimitReader(r.Body, mayDrain+1))
	read := err == nil && rest <= mayDrain
	more = read && !r.Close && r.ProtoAtLeast(1, 1)
	sent := c.send(w, r.Method == http.MethodHead, more)
	if sent && !read {
		c.hearOut()
	}
	return sent && more
}

// request waits for a request and reads its head.
func (c *caller) request() (*http.Request, error) {
	c.head, c.left = true, maxHead
	defer func() { c.head = false }()
	if _, err := c.in.Peek(1); err != nil {
		return nil, err
	}
	if !c.door.mark(c, true) {
		return nil, net.ErrClosed
	}
	if have, _ := c.in.Peek(c.in.Buffered()); !bytes.Contains(have, []byte("\r\n\r\n")) { // else nothing has to be waited for
		_ = c.conn.SetReadDeadline(time.Now().Add(headWait))
		defer func() { _ = c.conn.SetReadDeadline(time.Time{}) }()
	}
	r, err := http.ReadRequest(c.in)
	if err != nil {
		return nil, err
	}
	if r.ProtoMajor != 1 {
		return nil, errVersion
	}
	if r.Host == "" && r.ProtoAtLeast(1, 1) {
		return nil, errors.New("it names no host")
	}
	for name, values := range r.Header { // a length that is no header would make a request of a body
		if strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c) }) {
			return nil, fmt.Errorf("%q is no header", name)
		}
		for _, v := range values {
			if strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				return nil, fmt.Errorf("the header %s has a control character", name)
			}
		}
	}
	r.RemoteAddr = c.conn.RemoteAddr().String()
	return r, nil
}

// refuse is the last that is said on a connection.
func (c *caller) refuse(status int, text string) {
	w := &reply{body: &bytes.Buffer{}}
	refuse(w, status, text)
	if c.send(w, false, false) {
		c.hearOut()
	}
}

// hearOut throws away what still comes: a connection that is closed before takes the answer with it.
func (c *caller) hearOut() {
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = c.conn.SetReadDeadline(time.Now().Add(hearOut))
		_, _ = io.Copy(io.Discard, c.conn)
	}
}

// send writes a reply in one piece.
func (c *caller) send(w *reply, bare, more bool) bool {
	w.WriteHeader(http.StatusOK) // unless the handler said another
	c.out.Reset()
	o := append(c.out.AvailableBuffer(), "HTTP/1.1 "...)
	o = append(append(append(strconv.AppendInt(o, int64(w.status), 10), ' '), http.StatusText(w.status)...), "\r\nDate: "...)
	o = append(time.Now().UTC().AppendFormat(o, http.TimeFormat), "\r\nContent-Length: "...)
	o = append(strconv.AppendInt(o, int64(w.body.Len()), 10), "\r\n"...)
	if !more {
		o = append(o, "Connection: close\r\n"...)
	}
	c.out.Write(o)
	_ = w.header.Write(&c.out) // into memory
	c.out.WriteString("\r\n")
	if !bare {
		c.out.Write(w.body.Bytes())
	}
	_, err := c.conn.Write(c.out.Bytes())
	for _, room := range []*bytes.Buffer{&c.out, &c.body} {
		if room.Cap() > keptReply {
			*room = bytes.Buffer{}
		}
	}
	return err == nil
}

// reply is what a handler answers, until it is sent.
type reply struct {
	header http.Header
	status int
	body   *bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *reply) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter; the first counts.
func (w *reply) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *reply) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}
