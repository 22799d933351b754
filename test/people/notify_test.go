package people_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/fake/mail"
)

// A store-day that is held is told once, although the hub is killed between deciding and sending; and once when it is over.
func TestATroubleIsToldOnceThoughTheHubIsKilled(t *testing.T) {
	m, err := mail.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.Fail(1 << 20) // the mail server refuses: what was decided waits in the hub
	g := newRig(t)
	g.hubSettings("info", postingTOML+"[notify]\nbase = 'http://"+g.web+"'\n[notify.mail]\nserver = '"+m.Addr+"'\nfrom = 'tillpost@example.com'\nto = ['finance@example.com']\n")
	g.startHub()
	g.startAgent()
	day := time.Now().UTC().AddDate(0, 0, -2).Format("2006-01-02")
	g.sell("A-1", "S9", day+"T10:00:00Z", "cash")
	untilLong(t, "a refused mail", func() bool {
		b, _ := os.ReadFile(g.hubLog)
		return strings.Contains(string(b), "cannot send a message")
	})
	g.ok(g.hubProc.Process.Signal(syscall.SIGKILL))
	<-g.hubEnded
	if len(m.Mails()) != 0 {
		t.Fatalf("%d mails came through a server that refuses", len(m.Mails()))
	}
	m.Fail(0)
	g.startHub()
	untilLong(t, "the mail", func() bool { return len(m.Mails()) > 0 })
	first := m.Mails()[0]
	for _, want := range []string{"S9", "http://" + g.web} {
		if !strings.Contains(strings.ReplaceAll(first, "=\r\n", ""), want) {
			t.Errorf("the mail does not say %q:\n%s", want, first)
		}
	}
	g.hub(0, "location", "add", "S9", "--zone", "UTC", "--cutoff", "00:00", "--currency", "USD")
	untilLong(t, "the mail that it is over", func() bool { return len(m.Mails()) > 1 })
	if n := len(m.Mails()); n != 2 {
		t.Errorf("%d mails, want one when it begins and one when it ends", n)
	}
}

// untilLong waits as long as people may wait for a message.
func untilLong(t *testing.T, what string, done func() bool) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < 2*time.Minute; time.Sleep(200 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("%s did not come within two minutes", what)
}
