// Package mail is a mail server that listens on a real port, speaks enough SMTP to take messages, and keeps them.
package mail

import (
	"bufio"
	"net"
	"strings"
	"sync"
)

// Server is running from Start to Close.
type Server struct {
	Addr string

	mu    sync.Mutex
	l     net.Listener
	mails []string
	fail  int
}

// Start listens on a free port of this machine.
func Start() (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: l.Addr().String(), l: l}
	go s.serve()
	return s, nil
}

// Close stops listening.
func (s *Server) Close() { _ = s.l.Close() }

// Fail refuses the next n messages for a while, as a full or greylisting server does.
func (s *Server) Fail(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = n
}

// Mails returns what was taken, whole messages in their order.
func (s *Server) Mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...)
}

func (s *Server) serve() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		go s.talk(c)
	}
}

func (s *Server) talk(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	say := func(line string) { _, _ = c.Write([]byte(line + "\r\n")) }
	say("220 fake ready")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "EHLO", "HELO":
			say("250 fake")
		case "DATA":
			say("354 go on")
			if !s.take(r) {
				say("451 come back later")
				continue
			}
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *Server) take(r *bufio.Reader) bool {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return false
	}
	s.mails = append(s.mails, b.String())
	return true
}
