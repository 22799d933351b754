package terminal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

const patience = 30 * time.Second // how long a conversation may take in all

// serve answers on one connection. UPA knows one conversation at a time, from command to READY: who asks in between is told BUSY.
func (t *Terminal) serve(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReader(c)
	for {
		cmd, err := read(r)
		if err != nil {
			return
		}
		busy, trouble := false, None
		t.do(func() {
			busy, trouble = t.inside, t.trouble
			if busy {
				t.met++
			} else {
				t.inside = true
			}
		})
		if busy || trouble == InUse {
			say(c, `{"message":"BUSY","data":""}`)
			if !busy {
				t.do(func() { t.inside = false })
			}
			return
		}
		if !t.answer(c, r, cmd, trouble) {
			t.do(func() { t.inside = false })
			return
		}
	}
}

// command is what a client asks.
type command struct {
	Message string `json:"message"`
	Data    struct {
		Command   string `json:"command"`
		EcrID     string `json:"EcrId"`
		RequestID string `json:"requestId"`
		Data      struct {
			Params      map[string]any `json:"params"`
			Transaction map[string]any `json:"transaction"`
		} `json:"data"`
	} `json:"data"`
}

// answer acknowledges, answers, waits for the client's ACK and says READY; false ends the connection.
func (t *Terminal) answer(c net.Conn, r *bufio.Reader, raw []byte, trouble Trouble) bool {
	switch trouble {
	case Silent:
		_, _ = io.Copy(io.Discard, r)
		return false
	case Garbage:
		fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>no</html>")
		return false
	case Deaf:
		say(c, `{"message":"NAK","data":""}`)
		return false
	case Exhausted:
		say(c, `{"message":"TO","data":""}`)
		return false
	}
	var cmd command
	if err := json.Unmarshal(raw, &cmd); err != nil || cmd.Message != "MSG" {
		say(c, `{"message":"NAK","data":""}`)
		t.do(func() { t.inside = false })
		return true
	}
	var answers []string
	t.do(func() {
		t.asked = append(t.asked, cmd.Data.Command)
		answers = t.reply(cmd, trouble)
	})
	say(c, `{"message":"ACK","data":""}`)
	for _, a := range answers {
		switch trouble {
		case Half:
			fmt.Fprint(c, "\x02\n"+a[:len(a)/2])
			return false
		case Endless:
			fmt.Fprint(c, "\x02\n{\"message\":\"MSG\",\"data\":\"")
			for {
				if _, err := c.Write(bytes.Repeat([]byte{'x'}, 1<<16)); err != nil {
					return false
				}
			}
		case Piecemeal:
			for _, b := range []byte("\x02\n" + a + "\n\x03\n") {
				_, _ = c.Write([]byte{b})
			}
		default:
			say(c, a)
		}
		if got, err := read(r); err != nil || !strings.Contains(string(got), `"ACK"`) {
			return false
		}
	}
	if trouble == NoReady {
		return false
	}
	t.do(func() { t.inside = false })
	say(c, `{"message":"READY","data":""}`)
	return true
}

func say(c net.Conn, s string) { fmt.Fprint(c, "\x02\n"+s+"\n\x03\n") }

// read reads one frame's inside.
func read(r *bufio.Reader) ([]byte, error) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return nil, err
		}
		if b == 0x02 {
			break
		}
	}
	body, err := r.ReadBytes(0x03)
	return bytes.Trim(body, "\x03\r\n"), err
}
