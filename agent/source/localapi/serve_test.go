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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source/localapi"
)

// open serves h on a free port and returns its address; stop ends it and returns when nobody is connected any more.
func open(t *testing.T, h http.Handler, log io.Writer) (addr string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := localapi.Serve(ctx, l, h, slog.New(slog.NewTextHandler(log, nil))); err != nil {
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
		_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		method := http.MethodPost
		if strings.HasPrefix(raw, http.MethodHead) {
			method = http.MethodHead
		}
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return answers
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		s := fmt.Sprintf("%d close=%v", resp.StatusCode, resp.Close)
		if resp.StatusCode < 300 {
			s += " " + resp.Header.Get("Content-Type") + " " + string(body)
		}
		answers = append(answers, s)
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	w.Header().Set("Content-Type", "text/echo")
	fmt.Fprintf(w, "%s %s %d %q", r.Method, r.URL.Path, len(body), body[:min(8, len(body))])
}

// TestServeAnswersAsNetHTTPDoes: whatever is sent, a till hears from this server what it would hear from Go's.
func TestServeAnswersAsNetHTTPDoes(t *testing.T) {
	own, _ := open(t, http.HandlerFunc(echo), io.Discard)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(echo), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	t.Cleanup(func() { s.Close() })
	go func() { _ = s.Serve(l) }()
	post := func(head string, body string) string {
		return "POST /a HTTP/1.1\r\nHost: x\r\n" + head + "\r\n" + body
	}
	for name, raw := range map[string]string{
		"one":                   post("Content-Length: 5\r\n", "hello"),
		"two on a connection":   post("Content-Length: 5\r\n", "hello") + post("Content-Length: 2\r\n", "yo"),
		"in chunks":             post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") + post("Content-Length: 1\r\n", "z"),
		"no body":               "GET /b HTTP/1.1\r\nHost: x\r\n\r\n",
		"head":                  "HEAD /b HTTP/1.1\r\nHost: x\r\n\r\n",
		"the last":              post("Connection: close\r\nContent-Length: 1\r\n", "z") + post("Content-Length: 1\r\n", "z"),
		"old":                   "POST /a HTTP/1.0\r\nContent-Length: 1\r\n\r\nz",
		"asks first":            post("Expect: 100-continue\r\nContent-Length: 1\r\n", "z"),
		"expects too much":      post("Expect: wonders\r\nContent-Length: 1\r\n", "z"),
		"no host":               "GET /b HTTP/1.1\r\n\r\n",
		"not HTTP":              "hello\r\n\r\n",
		"two lengths":           post("Content-Length: 1\r\nContent-Length: 2\r\n", "zz"),
		"length and chunks":     post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
		"an odd coding":         post("Transfer-Encoding: zip\r\n", ""),
		"a negative length":     post("Content-Length: -1\r\n", ""),
		"a header with a space": post("Content Length: 1\r\n", "z"),
		"a bell in a header":    post("X: \x07\r\nContent-Length: 1\r\n", "z"),
		"a header with a line":  post("X: a\r\n b\r\nContent-Length: 1\r\n", "z"),
		"a bare line feed":      "POST /a HTTP/1.1\nHost: x\nContent-Length: 1\n\nz",
		"another version":       "POST /a HTTP/2.0\r\nHost: x\r\nContent-Length: 1\r\n\r\nz",
		"a whole address":       "GET http://y/b HTTP/1.1\r\nHost: x\r\n\r\n",
		"too large":             post("Content-Length: 2000000\r\n", strings.Repeat("z", 2000000)),
		"a long head":           post("X: "+strings.Repeat("x", 2<<20)+"\r\n", ""),
		"half a head":           "POST /a HTTP/1.1\r\nHo",
		"half a body":           post("Content-Length: 5\r\n", "he"),
		"nothing":               "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, want := talk(t, own, raw), talk(t, l.Addr().String(), raw)
			if name == "an odd coding" {
				want = []string{"400 close=true"} // Go's says 501; only it can tell
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestAPanicCostsItsConnectionAlone(t *testing.T) {
	var log bytes.Buffer
	addr, stop := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/boom" {
			panic("boom")
		}
		echo(w, r)
	}), &log)
	if got := talk(t, addr, "GET /boom HTTP/1.1\r\nHost: x\r\n\r\n"); got != nil {
		t.Errorf("a request that ended in a panic was answered %q", got)
	}
	if got := talk(t, addr, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n"); len(got) != 1 || !strings.HasPrefix(got[0], "200") {
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
	addr, stop := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside <- true
		<-goOn
		echo(w, r)
	}), io.Discard)
	idle, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	answers := make(chan []string)
	go func() { answers <- talk(t, addr, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n") }()
	<-inside
	stopped := make(chan bool)
	go func() { stop(); close(stopped) }()
	if n, err := idle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("who waits for nothing reads %d, %v", n, err)
	}
	close(goOn)
	if got := <-answers; len(got) != 1 || !strings.HasPrefix(got[0], "200") {
		t.Errorf("the request under way was answered %q", got)
	}
	<-stopped
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("the door is closed and lets somebody in")
	}
}
