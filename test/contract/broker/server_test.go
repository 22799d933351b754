package broker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/broker"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/port"
)

// server is a broker under test: it knows the devices "d1" and "d2", and a hub.
type server interface {
	url() string
	// hub is the name and the password of the hub's own link.
	hub() (user, password string)
	stop()
	start(t *testing.T)
}

// secret is a device's password.
func secret(d retail.DeviceID) string { return "secret-of-" + string(d) }

// servers are all brokers that are here; one that is not is told by a skipped subtest.
func servers(t *testing.T, f func(t *testing.T, s server)) {
	for name, make := range map[string]func(t *testing.T) server{"embedded": newEmbedded, "mosquitto": newMosquitto} {
		t.Run(name, func(t *testing.T) {
			s := make(t)
			s.start(t)
			t.Cleanup(s.stop)
			f(t, s)
		})
	}
}

// embedded is our own.
type embedded struct {
	o broker.Options
	b *broker.Broker
}

type devices struct{}

func (devices) Password(_ context.Context, d retail.DeviceID) (string, error) {
	if d == "d1" || d == "d2" {
		return secret(d), nil
	}
	return "", fault.Msg(fault.NotFound, "read device", "unknown")
}

func newEmbedded(t *testing.T) server {
	return &embedded{o: broker.Options{Listen: port.Free(t), Dir: t.TempDir(), Passwords: devices{}, Matches: func(h, p string) bool { return h == p }}}
}

func (e *embedded) url() string { return "mqtt://" + e.o.Listen }

func (e *embedded) hub() (string, string) {
	user, password, _ := e.b.Own()
	return user, password
}

func (e *embedded) stop() { e.b.Close() }

func (e *embedded) start(t *testing.T) {
	t.Helper()
	var err error
	if e.b, err = broker.Start(context.WithoutCancel(t.Context()), e.o); err != nil {
		t.Fatal(err)
	}
}

// mosquitto is a real one, with the rights that hub/link/DESIGN.md gives for it.
type mosquitto struct {
	dir, addr string
	cmd       *exec.Cmd
}

const acl = `user hub
topic read tp1/up/+/+
topic read tp1/hello/+/+
topic read tp1/birth/+
topic readwrite tp1/hub
topic write tp1/head/+/+
topic write tp1/poll/+
topic write tp1/desired/+

pattern write tp1/up/%u/+
pattern write tp1/hello/%u/+
pattern write tp1/birth/%u
pattern read tp1/head/%u/+
pattern read tp1/poll/%u
pattern read tp1/desired/%u
pattern read tp1/hub
`

func newMosquitto(t *testing.T) server {
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Skip("mosquitto is not installed: the contract was not run against it (apt-get install mosquitto)")
	}
	m := &mosquitto{dir: t.TempDir(), addr: port.Free(t)}
	_, number, _ := net.SplitHostPort(m.addr)
	conf := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous false\npassword_file %s/passwords\nacl_file %s/acl\npersistence false\nmax_queued_messages 0\nlog_dest file %s/log\n", number, m.dir, m.dir, m.dir)
	if me, err := user.Current(); err == nil {
		conf += "user " + me.Username + "\n" // it would leave root's rights and could not read its own files here
	}
	var passwords strings.Builder
	for name, p := range map[string]string{"hub": "hub-secret", "d1": secret("d1"), "d2": secret("d2"), "mute": "mute-secret"} {
		fmt.Fprintf(&passwords, "%s:%s\n", name, p)
	}
	for name, text := range map[string]string{"conf": conf, "passwords": passwords.String(), "acl": acl} {
		if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("mosquitto_passwd", "-U", filepath.Join(m.dir, "passwords")).CombinedOutput(); err != nil {
		t.Skipf("mosquitto_passwd does not work here: %v %s", err, out)
	}
	return m
}

func (m *mosquitto) url() string           { return "mqtt://" + m.addr }
func (m *mosquitto) hub() (string, string) { return "hub", "hub-secret" }

func (m *mosquitto) start(t *testing.T) {
	t.Helper()
	m.cmd = exec.Command("mosquitto", "-c", filepath.Join(m.dir, "conf"))
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "mosquitto to listen", func() bool {
		c, err := net.Dial("tcp", m.addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (m *mosquitto) stop() {
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("waited 30 s in vain for %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// cable is a TCP line that can be cut.
type cable struct {
	l  net.Listener
	to string

	mu    sync.Mutex
	conns []net.Conn
}

func newCable(t *testing.T, url string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{l: l, to: strings.TrimPrefix(url, "mqtt://")}
	go c.serve()
	t.Cleanup(func() { l.Close(); c.cut() })
	return c
}

func (c *cable) url() string { return "mqtt://" + c.l.Addr().String() }

func (c *cable) serve() {
	for {
		in, err := c.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", c.to)
		if err != nil {
			in.Close()
			continue
		}
		c.mu.Lock()
		c.conns = append(c.conns, in, out)
		c.mu.Unlock()
		go pipe(in, out)
		go pipe(out, in)
	}
}

func pipe(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			_, werr := to.Write(buf[:n])
			err = errors.Join(err, werr)
		}
		if err != nil {
			to.Close()
			return
		}
	}
}

// cut breaks what is connected; new connections work.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.conns {
		n.Close()
	}
	c.conns = nil
}
