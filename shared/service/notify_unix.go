//go:build !windows

package service

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// systemd is systemd's ear (sd_notify): a datagram per word. Without one it hears nothing.
type systemd struct {
	to       *net.UnixConn
	watchdog time.Duration // a sign is wanted at least so often; 0 = none
}

func openSystemd(env func(string) string, pid int) *systemd {
	s := &systemd{}
	at := env("NOTIFY_SOCKET")
	if at == "" {
		return s
	}
	if strings.HasPrefix(at, "@") {
		at = "\x00" + at[1:] // the abstract name space
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		return s // systemd then waits in vain and says so; the tickets matter more
	}
	s.to = c
	us, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64)
	if who := env("WATCHDOG_PID"); err == nil && us > 0 && (who == "" || who == strconv.Itoa(pid)) {
		s.watchdog = time.Duration(us) * time.Microsecond
	}
	return s
}

func (s *systemd) tell(r report) {
	if s.to == nil {
		return
	}
	more := fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", hint.Microseconds())
	var words string
	switch {
	case r.Pulse:
		words = "WATCHDOG=1"
	case r.Stage == starting:
		words = more
	case r.Stage == running:
		words = "READY=1\nSTATUS=Tickets are taken and kept."
	case r.Check == 1:
		words = "STOPPING=1\nSTATUS=What is under way is being finished.\n" + more
	default:
		words = more
	}
	_ = s.to.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = s.to.Write([]byte(words)) // nobody hears: nobody waits
}

// Close ends the line.
func (s *systemd) Close() {
	if s.to != nil {
		s.to.Close()
	}
}
