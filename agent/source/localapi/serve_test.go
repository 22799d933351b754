package localapi_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/localapi"
	"github.com/tillpost/tillpost/shared/retail"
)

// open lets tills in on a free port and returns its address; stop ends it and returns when nobody is connected any more.
func open(t *testing.T, to *sink, log io.Writer) (addr string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &localapi.API{Token: "t", Locations: []retail.LocationCode{"S1"}, Sink: to, Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }}
	ctx, end := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := a.Serve(ctx, l, slog.New(slog.NewTextHandler(log, nil))); err != nil {
			t.Error(err)
		}
	})
	stop = func() { end(); done.Wait() }
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

// talk sends raw bytes and reads every answer until the server closes or says nothing more for a moment.
func talk(t *testing.T, addr, raw string) (answers []string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() { _, _ = io.WriteString(c, raw) }()
	in := bufio.NewReader(c)
	for {
		_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		resp, err := http.ReadResponse(in, &http.Request{Method: http.MethodPost})
		if err != nil {
			return answers
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		s := fmt.Sprint(resp.StatusCode)
		if resp.Close {
			s += " close"
		}
		answers = append(answers, s)
	}
}

// TestWhatComesAtTheDoor sends raw bytes: a till hears of each request what became of it, and what is no whole request keeps nothing.
func TestWhatComesAtTheDoor(t *testing.T) {
	one := strings.ReplaceAll(good, "\n", "")
	n := fmt.Sprint(len(one))
	post := func(head, body string) string {
		return "POST /v1/tickets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n" + head + "\r\n" + body
	}
	whole := post("Content-Length: "+n+"\r\n", one)
	for _, c := range []struct {
		name, raw string
		says      []string
		kept      int
	}{
		{"one", whole, []string{"201"}, 1},
		{"two on a connection", whole + whole, []string{"201", "201"}, 2},
		{"in chunks", post("Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", 10, one[:10], len(one)-10, one[10:])) + whole, []string{"201", "201"}, 2},
		{"the last", post("Connection: close\r\nContent-Length: "+n+"\r\n", one) + whole, []string{"201 close"}, 1},
		{"asks first", post("Expect: 100-continue\r\nContent-Length: "+n+"\r\n", one), []string{"100", "201"}, 1},
		{"no token", strings.Replace(whole, "Bearer t", "Bearer x", 1), []string{"401 close"}, 0},
		{"a page's", post("Origin: http://evil.example\r\nContent-Length: "+n+"\r\n", one), []string{"403"}, 0},
		{"not HTTP", "hello\r\n\r\n", []string{"400 close"}, 0},
		{"two lengths", post("Content-Length: 1\r\nContent-Length: "+n+"\r\n", one), []string{"400 close"}, 0},
		{"a negative length", post("Content-Length: -1\r\n", one), []string{"400 close"}, 0},
		{"a length that is none", post("Content Length: 1\r\n", one), []string{"400"}, 0},
		{"a form", post("Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 44\r\n", "--b\r\nContent-Disposition: form-data\r\n\r\n--b--") + whole, []string{"400", "201"}, 1},
		{"too large", post("Content-Length: 17000000\r\n", one), []string{"413 close"}, 0},
		{"too large, in chunks", post("Transfer-Encoding: chunked\r\n", "1100000\r\n"+strings.Repeat(" ", 17<<20)), []string{"413 close"}, 0},
		{"in chunks without a token", strings.Replace(post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), "Bearer t", "Bearer x", 1) + whole, []string{"413 close"}, 0},
		{"a long head", post("X: "+strings.Repeat("x", 1<<20)+"\r\n", ""), []string{"431 close"}, 0},
		{"half a head", whole[:40], nil, 0},
		{"half a body", whole[:len(whole)-5], nil, 0},
		{"nothing", "", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to := &sink{}
			addr, stop := open(t, to, io.Discard)
			if got := talk(t, addr, c.raw); fmt.Sprint(got) != fmt.Sprint(c.says) {
				t.Errorf("got %q, want %q", got, c.says)
			}
			stop()
			if len(to.drafts) != c.kept {
				t.Errorf("%d kept, want %d", len(to.drafts), c.kept)
			}
		})
	}
}

func ticketFor(addr string) string {
	return "POST /v1/tickets HTTP/1.1\r\nHost: " + addr + "\r\nAuthorization: Bearer t\r\nContent-Length: " + fmt.Sprint(len(good)) + "\r\n\r\n" + good
}

func TestAPanicIsTold(t *testing.T) {
	var log bytes.Buffer
	to := &sink{on: func() { panic("boom") }}
	addr, stop := open(t, to, &log)
	if got := talk(t, addr, ticketFor(addr)); fmt.Sprint(got) != "[500 close]" {
		t.Errorf("a request that ended in a panic was answered %q", got)
	}
	to.on = nil
	if got := talk(t, addr, ticketFor(addr)); fmt.Sprint(got) != "[201]" {
		t.Errorf("the next one was answered %q", got)
	}
	stop()
	if !strings.Contains(log.String(), "panic=boom") {
		t.Errorf("the log says %s", log.String())
	}
}

// TestADoorThatClosesAnswersWhoIsInIt: a request under way is answered, one that waits for its turn ends.
func TestADoorThatClosesAnswersWhoIsInIt(t *testing.T) {
	inside, goOn := make(chan bool), make(chan bool)
	to := &sink{}
	addr, stop := open(t, to, io.Discard)
	idle, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	in := bufio.NewReader(idle)
	_, _ = io.WriteString(idle, ticketFor(addr))
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("%v, %v", resp, err)
	} else if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	to.on = func() { inside <- true; <-goOn }
	answers := make(chan []string)
	go func() { answers <- talk(t, addr, ticketFor(addr)) }()
	<-inside
	stopped := make(chan bool)
	go func() { stop(); close(stopped) }()
	if n, err := in.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("who waits for nothing reads %d, %v", n, err)
	}
	close(goOn)
	if got := <-answers; len(got) != 1 || !strings.HasPrefix(got[0], "201") {
		t.Errorf("the request under way was answered %q", got)
	}
	<-stopped
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("the door is closed and lets somebody in")
	}
}

// TestARefusalIsHeard: who is still sending when it is refused reads why, and no broken line. Ordinary clients write all before they read.
func TestARefusalIsHeard(t *testing.T) {
	addr, _ := open(t, &sink{}, io.Discard)
	big := bytes.Repeat([]byte("x"), 20<<20)
	for token, want := range map[string]int{"t": http.StatusRequestEntityTooLarge, "wrong": http.StatusUnauthorized} {
		for range 10 {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = fmt.Fprintf(c, "POST /v1/tickets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", token, len(big))
			if _, err := c.Write(big); err != nil {
				t.Fatalf("%s: the line broke while it was still sending: %v", token, err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatalf("%s: no answer: %v", token, err)
			}
			if resp.StatusCode != want {
				t.Errorf("%s: %s, want %d", token, resp.Status, want)
			}
			c.Close()
		}
	}
}

// nowhere forgets what it is given.
type nowhere struct{}

func (nowhere) Append(context.Context, string, source.Cursor, []source.Draft) error { return nil }

// TestTillsAtRestTakeNoMemory: a till keeps its connection over night, one that forgets to close makes a new one for each ticket, and one has sent a
// large request before.
func TestTillsAtRestTakeNoMemory(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	a := &localapi.API{Token: "t", Sink: nowhere{}, Now: time.Now}
	ctx, end := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = a.Serve(ctx, l, slog.New(slog.DiscardHandler)) })
	defer done.Wait()
	defer end()
	send := func(request string, want int) {
		t.Helper()
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReaderSize(c, 16), nil)
		if err != nil || resp.StatusCode != want {
			t.Fatalf("%v, %v", resp, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	live := func() int64 {
		for range 3 { // a pool gives what it holds away at the second
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	send(ticketFor(addr), http.StatusCreated)
	before := live()
	for range 200 {
		send(ticketFor(addr), http.StatusCreated)
	}
	large := strings.Repeat(" ", 12<<20)
	send(fmt.Sprintf("POST /v1/tickets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nContent-Length: %d\r\n\r\n%s", len(large), large), http.StatusBadRequest)
	if grown := live() - before; grown > 4<<20 {
		t.Errorf("200 tills at rest and one that sent 12 MB hold %d KB", grown>>10)
	}
}
