package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/demo/books"
	"github.com/tillpost/tillpost/test/fake/till"
	"github.com/tillpost/tillpost/test/port"
)

// certified is a hub and a store's PC that comes in by certificate, as built binaries. There is no Odoo: the ledger is as far as tickets go.
type certified struct {
	*world
	bin, conf string
}

func newCertified(t *testing.T, life string) *certified {
	t.Helper()
	c := uncertified(t)
	c.conf = c.settings(t, life, fmt.Sprintf("listen=%q", c.addrs["broker"]), "")
	c.startHub(t, "")
	return c
}

// uncertified has its programs and no settings of the hub yet.
func uncertified(t *testing.T) *certified {
	t.Helper()
	w := &world{dir: t.TempDir(), programs: map[string]*proc{}, addrs: map[string]string{}}
	for _, name := range []string{"web", "broker", "enrol", "door"} {
		w.addrs[name] = port.Free(t)
	}
	c := &certified{world: w, bin: build(t)}
	writeFile(t, w.at("token"), "till\n")
	writeFile(t, w.at("agent.toml"), "data_dir=%q\n[hub]\nretry_longest='300ms'\n[source.localapi]\nlisten=%q\ntoken_file=%q\n", w.at("agentdata"), w.addrs["door"], w.at("token"))
	w.proc(t, "hub", filepath.Join(c.bin, "hub"), "run", "--config", w.at("hub.toml"))
	w.proc(t, "agent", filepath.Join(c.bin, "agent"), "run", "--config", w.at("agent.toml"))
	t.Cleanup(func() { w.close(t) })
	return c
}

// settings writes the hub's; brokerIs and more go into [broker] and [enrol].
func (c *certified) settings(t *testing.T, life, brokerIs, more string) string {
	t.Helper()
	return writeFile(t, c.at("hub.toml"), "data_dir=%q\n[web]\nlisten=%q\n[broker]\n%s\n[enrol]\nlisten=%q\nlife=%q\n%s[[location]]\ncode='S1'\nname='One'\nzone='America/Chicago'\ncutoff='04:00'\ncurrency='USD'\ntills=['T1']\n",
		c.at("hubdata"), c.addrs["web"], brokerIs, c.addrs["enrol"], life, more)
}

func (c *certified) startHub(t *testing.T, point string) {
	t.Helper()
	c.start(t, c.programs["hub"], point)
	waitFor(t, c.addrs["enrol"])
	waitFor(t, c.addrs["broker"])
	waitFor(t, c.addrs["web"])
}

func (c *certified) hub(t *testing.T, args ...string) string {
	t.Helper()
	return strings.TrimSpace(command(t.Context(), t, append([]string{filepath.Join(c.bin, "hub"), "--config", c.conf}, args...)...))
}

// agent runs a command of the agent, with a fail point or without; killed tells that the fail point was met.
func (c *certified) agent(t *testing.T, point string, args ...string) (out string, code int, killed bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "agent"), append(args, "--config", c.at("agent.toml"))...)
	cmd.Env = append(os.Environ(), "TILLPOST_FAILPOINT="+point)
	b, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	ws, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return string(b), cmd.ProcessState.ExitCode(), ws.Signaled() && ws.Signal() == syscall.SIGKILL
}

func (c *certified) enrol(t *testing.T, point, code string) (out string, rc int, killed bool) {
	t.Helper()
	return c.agent(t, point, "enrol", "--hub", "https://"+c.addrs["enrol"], "--code", code)
}

func (c *certified) mustEnrol(t *testing.T, code string) {
	t.Helper()
	if out, rc, _ := c.enrol(t, "", code); rc != 0 {
		t.Fatalf("enrol ends with %d: %s", rc, out)
	}
}

// connected is what the running agent says of its line.
func (c *certified) connected(t *testing.T) bool {
	t.Helper()
	var st struct {
		Connected bool `json:"connected"`
	}
	out, _, _ := c.agent(t, "", "status", "--json")
	if err := json.Unmarshal([]byte(out), &st); err != nil {
		return false // it has not begun yet
	}
	return st.Connected
}

// until waits for what must come, and tells how long it took.
func (c *certified) until(t *testing.T, what string, ok func() bool) time.Duration {
	t.Helper()
	for begun := time.Now(); ; <-time.After(20 * time.Millisecond) {
		if ok() {
			return time.Since(begun)
		}
		if time.Since(begun) > soon {
			t.Fatalf("waited %v in vain for %s", soon, what)
		}
	}
}

// ticket is one of a dollar.
func (c *certified) ticket(t *testing.T, id string) {
	t.Helper()
	body := fmt.Sprintf(`{"id":%q,"location":"S1","till":"T1","at":%q,"currency":"USD","lines":[{"kind":"item","category":"Toys","amount":"1.00"}],"tenders":[{"type":"cash","amount":"1.00"}]}`,
		id, time.Now().UTC().Format(time.RFC3339))
	if !c.tell(t.Context(), till.Event{Path: "/v1/tickets", Body: []byte(body)}) {
		t.Fatal("the agent does not take a ticket")
	}
}

// ledger lists the tickets that are booked.
func (c *certified) ledger(t *testing.T) (ids []string) {
	t.Helper()
	db, err := c.db()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list, err := books.Tickets(t.Context(), db, "S1")
	if err != nil {
		return nil // the hub writes
	}
	for _, x := range list {
		ids = append(ids, x.ID)
	}
	return ids
}

func (c *certified) arrives(t *testing.T, ids ...string) {
	t.Helper()
	c.until(t, fmt.Sprint("the ledger to have just ", ids), func() bool { return slices.Equal(c.ledger(t), ids) })
}

// held counts the certificates that hold, and all of them.
func (c *certified) certificates(t *testing.T) (hold, all int) {
	t.Helper()
	db, err := c.db()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT count(*), COALESCE(sum(ended = 0), 0) FROM certificate`).Scan(&all, &hold); err != nil {
		t.Fatal(err)
	}
	return hold, all
}

// TestEnrolSellRevokeEnrolAgain is a certificate's life on built binaries: code, ticket, revoked, ticket that waits, code, delivered once.
func TestEnrolSellRevokeEnrolAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("builds binaries; left out of short runs")
	}
	t.Parallel()
	c := newCertified(t, "2160h")
	if out, rc, _ := c.agent(t, "", "run"); rc != 1 || !strings.Contains(out, "not enrolled") {
		t.Errorf("an agent that nobody enrolled ends with %d: %s", rc, out)
	}
	c.mustEnrol(t, c.hub(t, "device", "code", "S1"))
	c.start(t, c.programs["agent"], "")
	c.ticket(t, "one")
	c.arrives(t, "one")
	c.until(t, "the agent to be connected", func() bool { return c.connected(t) })

	if manager, _, _ := c.agent(t, "", "status"); strings.Contains(manager, "streaming") {
		t.Errorf("the manager is told of streams: %s", manager)
	}
	if it, _, _ := c.agent(t, "", "status", "--details"); !strings.Contains(it, "streaming  taken 1, confirmed 1") {
		t.Errorf("IT is not told of streams: %s", it)
	}

	c.hub(t, "device", "revoke", "pc-s1", "--reason", "the PC was stolen")
	took := c.until(t, "the line to be cut", func() bool { return !c.connected(t) })
	t.Logf("the line was cut %v after hub device revoke had ended", took.Round(time.Millisecond))
	c.ticket(t, "two") // the store sells on
	<-time.After(1500 * time.Millisecond)
	if got := c.ledger(t); !slices.Equal(got, []string{"one"}) {
		t.Errorf("a revoked PC's tickets are booked: %v", got)
	}
	c.until(t, "the manager to be told", func() bool {
		out, rc, _ := c.agent(t, "", "status")
		return rc == 1 && strings.Contains(out, "Head office does not let this PC in") && strings.Contains(out, "was revoked on")
	})

	c.mustEnrol(t, c.hub(t, "device", "code", "S1")) // the service runs on
	c.arrives(t, "one", "two")
	if bad := c.hub(t, "verify"); !strings.Contains(bad, "Every checksum and every chain is right") {
		t.Error(bad)
	}

	// Another PC takes the device's place: a new buffer, a new epoch, the same store.
	c.kill(t, c.programs["agent"])
	if err := os.Rename(c.at("agentdata"), c.at("oldpc")); err != nil {
		t.Fatal(err)
	}
	c.mustEnrol(t, c.hub(t, "device", "replace", "pc-s1"))
	c.start(t, c.programs["agent"], "")
	c.ticket(t, "three")
	c.arrives(t, "one", "three", "two")
	if hold, all := c.certificates(t); hold != 1 || all != 3 {
		t.Errorf("%d of %d certificates hold, want 1 of 3", hold, all)
	}
}

// TestKilledAtEachStepOfEnrolling pulls the plug on the PC and on the hub at each step of an enrolment. The same code typed again ends it.
func TestKilledAtEachStepOfEnrolling(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills binaries; left out of short runs")
	}
	t.Parallel()
	c := newCertified(t, "2160h")
	made := 0
	for _, point := range []string{"enrol.key", "enrol.answer", "enrol.write", "enrol.written"} {
		code := c.hub(t, "device", map[bool]string{true: "code", false: "replace"}[made == 0], map[bool]string{true: "S1", false: "pc-s1"}[made == 0])
		if out, rc, killed := c.enrol(t, point+":1", code); !killed {
			t.Errorf("%s was not met: %d %s", point, rc, out)
		}
		c.mustEnrol(t, code)
		if made++; !c.sole(t, made) {
			t.Errorf("after a kill at %s the PC has not just the one certificate of its code", point)
		}
	}
	for _, point := range []string{"enrol.commit.before", "enrol.commit.after", "enrol.reply"} {
		code := c.hub(t, "device", "replace", "pc-s1")
		c.kill(t, c.programs["hub"])
		c.startHub(t, point+":1")
		out, rc, _ := c.enrol(t, "", code)
		if rc != 1 || !strings.Contains(out, "do the same again; a code is still good") {
			t.Errorf("%s: the PC is told %d: %s", point, rc, out)
		}
		if c.programs["hub"].end(soon) != pulled {
			t.Errorf("the hub was not killed at %s", point)
		}
		c.startHub(t, "")
		c.mustEnrol(t, code)
		if made++; !c.sole(t, made) {
			t.Errorf("after a kill at %s the PC has not just the one certificate of its code", point)
		}
	}
	c.start(t, c.programs["agent"], "")
	c.ticket(t, "one")
	c.arrives(t, "one")
}

func (c *certified) sole(t *testing.T, want int) bool {
	t.Helper()
	hold, all := c.certificates(t)
	return hold == 1 && all == want
}

// TestKilledAtEachStepOfRenewing pulls the plug on the agent and on the hub at each step of a renewal, with certificates of a few seconds. Each
// time the next start heals by itself, also when the certificate ran out meanwhile, and every ticket arrives once.
func TestKilledAtEachStepOfRenewing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills binaries; left out of short runs")
	}
	t.Parallel()
	c := newCertified(t, "4s")
	c.mustEnrol(t, c.hub(t, "device", "code", "S1"))
	agent, hub := c.programs["agent"], c.programs["hub"]
	var want []string
	sell := func() {
		want = append(want, fmt.Sprintf("t%02d", len(want)))
		c.ticket(t, want[len(want)-1])
	}
	for _, point := range []string{"renew.key", "renew.answer", "renew.write", "renew.written"} {
		c.start(t, agent, point+":1") // with a certificate that ran out it asks before its door is open
		if agent.end(soon) != pulled {
			t.Fatalf("%s was not met", point)
		}
		c.start(t, agent, "")
		sell()
		c.arrives(t, want...)
		c.kill(t, agent)
	}
	c.start(t, agent, "")
	for _, point := range []string{"renew.commit.before", "renew.commit.after", "renew.reply"} {
		c.kill(t, hub)
		c.startHub(t, point+":1")
		sell()
		if hub.end(soon) != pulled {
			t.Fatalf("%s was not met", point)
		}
		<-time.After(5 * time.Second) // the hub stays away until the certificate has run out
		sell()
		c.startHub(t, "")
		c.arrives(t, want...)
	}
	c.alive(t)
	hold, all := c.certificates(t)
	t.Logf("%d tickets, %d certificates were made, %d hold", len(want), all, hold)
	if hold == 0 || hold > 2 || all < 8 {
		t.Errorf("%d of %d certificates hold", hold, all)
	}
}

// TestKilledWhileSecretsAreSealedAnew: whatever was sealed so far, the PC still opens all of it, and the command goes on.
func TestKilledWhileSecretsAreSealedAnew(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills binaries; left out of short runs")
	}
	t.Parallel()
	c := newCertified(t, "2160h")
	c.mustEnrol(t, c.hub(t, "device", "code", "S1"))
	for _, point := range []string{"rotate.key", "rotate.swap"} {
		if out, rc, killed := c.agent(t, point+":1", "secrets", "rotate"); !killed {
			t.Errorf("%s was not met: %d %s", point, rc, out)
		}
		if out, rc, _ := c.agent(t, "", "renew"); rc != 0 {
			t.Errorf("after a kill at %s the PC cannot use its key: %s", point, out)
		}
		if out, rc, _ := c.agent(t, "", "secrets", "rotate"); rc != 0 {
			t.Errorf("after a kill at %s: %s", point, out)
		}
	}
	c.start(t, c.programs["agent"], "")
	c.ticket(t, "one")
	c.arrives(t, "one")
}
