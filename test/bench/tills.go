package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/tillpost/tillpost/agent/source"
)

// tills are connections to the agent's door that stay open, as a till keeps one. They write and read plain HTTP without Go's client, whose
// goroutines would take as much of the two cores as the agent does.
type tills []*till

type till struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

func dialTills(door string, n int) (ts tills, err error) {
	for range n {
		c, err := net.Dial("tcp", door)
		if err != nil {
			ts.close()
			return nil, err
		}
		ts = append(ts, &till{conn: c, in: bufio.NewReader(c)})
	}
	return ts, nil
}

func (ts tills) close() {
	for _, t := range ts {
		t.conn.Close()
	}
}

// push hands tickets in, one outstanding on each connection.
func (ts tills) push(ds []source.Draft) error {
	next, errs := make(chan []byte, len(ds)), make([]error, len(ts))
	for _, d := range ds {
		next <- d.Body
	}
	close(next)
	var wg sync.WaitGroup
	for i, t := range ts {
		wg.Go(func() {
			for body := range next {
				if errs[i] = t.hand(body); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// hand returns when the agent has said that the ticket is safe.
func (t *till) hand(body []byte) error {
	t.out = fmt.Appendf(t.out[:0], "POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
	t.out = append(t.out, body...)
	if _, err := t.conn.Write(t.out); err != nil {
		return err
	}
	resp, err := http.ReadResponse(t.in, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusCreated {
		err = fmt.Errorf("the agent answers %d: %s", resp.StatusCode, answer)
	}
	return err
}
