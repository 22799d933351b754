//go:build linux

package rollout_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the hub's database is read past the product's code

	"github.com/tillpost/tillpost/hub/view"
)

// world is a hub with its releases, and the PCs of its stores.
type world struct {
	t                  *testing.T
	dir, program, conf string
	pace               string
	broker, enrol, web string
	cmd                *exec.Cmd
	pcs                []*pc
}

// newWorld founds a hub of n stores and its releases, with the first version of the agent published.
func newWorld(t *testing.T, n int, pace string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), program: hub(t), pace: pace, broker: port(t), enrol: port(t), web: port(t)}
	var places strings.Builder
	for i := range n {
		fmt.Fprintf(&places, "[[location]]\ncode='S%03d'\nname='Store %d'\nzone='%s'\ncutoff='04:00'\ncurrency='USD'\ntills=['T1']\n", i+1, i+1, night())
	}
	w.conf = w.write("hub.toml", fmt.Sprintf("data_dir=%q\n[web]\nlisten=%q\n[broker]\nlisten=%q\n[enrol]\nlisten=%q\n%s", w.at("hubdata"), w.web, w.broker, w.enrol, places.String()))
	w.write("pass", "five plain words of a holder\n")
	for _, k := range []string{"anna", "bela", "rita"} {
		w.hub("release", "key", w.at(k+".key"), "--passphrase-file", w.at("pass"))
	}
	w.hub("release", "online-keys")
	keys := w.at("hubdata/release-keys/")
	w.hub("release", "init", "--dir", w.at("stick"), "--root", w.at("anna.key.pub")+","+w.at("bela.key.pub"), "--root-needs", "2", "--targets", w.at("rita.key.pub"), "--targets-need", "1",
		"--snapshot", keys+"/snapshot.key.pub", "--timestamp", keys+"/timestamp.key.pub")
	w.sign("anna", "bela", "rita")
	w.hub("release", "publish", "--from", w.at("stick"))
	w.publish("v1.0.0", "")
	w.start()
	t.Cleanup(w.close)
	return w
}

func (w *world) at(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, body string) string {
	w.t.Helper()
	must(w.t, os.MkdirAll(filepath.Dir(w.at(name)), 0o700))
	must(w.t, os.WriteFile(w.at(name), []byte(body), 0o600))
	return w.at(name)
}

// hub runs a command of the hub, which must succeed.
func (w *world) hub(args ...string) string {
	w.t.Helper()
	out, err := w.try(args...)
	if err != nil {
		w.t.Fatalf("hub %v: %v\n%s", args, err, out)
	}
	return out
}

func (w *world) try(args ...string) (string, error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	var said strings.Builder
	cmd := exec.CommandContext(ctx, w.program, append(args, "--config", w.conf)...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return said.String(), err
	}
	return strings.TrimSpace(string(out)), nil
}

func (w *world) sign(holders ...string) {
	w.t.Helper()
	for _, h := range holders {
		w.hub("release", "sign", "--dir", w.at("stick"), "--key", w.at(h+".key"), "--passphrase-file", w.at("pass"))
	}
}

// publish builds, adds, signs and publishes a version, as IT does.
func (w *world) publish(version, planted string, more ...string) {
	w.t.Helper()
	dist(w.t, w.at("dist-"+version), version, agent(w.t, version, planted, w.pace))
	w.hub(append([]string{"release", "add", w.at("dist-" + version), "--dir", w.at("stick")}, more...)...)
	w.sign("rita")
	w.hub("release", "publish", "--from", w.at("stick"))
}

// start starts the hub.
func (w *world) start() {
	w.t.Helper()
	log, err := os.OpenFile(w.at("hub.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(w.t, err)
	defer log.Close()
	w.cmd = exec.Command(w.program, "run", "--config", w.conf)
	w.cmd.Stdout, w.cmd.Stderr, w.cmd.SysProcAttr = log, log, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(w.t, w.cmd.Start())
	for _, a := range []string{w.web, w.broker, w.enrol} {
		w.until("the hub to answer at "+a, time.Minute, func() bool {
			c, err := net.Dial("tcp", a)
			if err == nil {
				c.Close()
			}
			return err == nil
		})
	}
}

func (w *world) close() {
	for _, p := range w.pcs {
		p.kill()
	}
	_ = w.cmd.Process.Signal(syscall.SIGTERM)
	_ = w.cmd.Wait()
	if w.t.Failed() {
		w.tail("hub.log", 4000)
	}
}

// tail shows the end of a log.
func (w *world) tail(name string, n int) {
	b, err := os.ReadFile(w.at(name))
	if err == nil {
		w.t.Logf("the end of %s:\n%s", name, b[max(0, len(b)-n):])
	}
}

func (w *world) until(what string, within time.Duration, ok func() bool) time.Duration {
	w.t.Helper()
	for began := time.Now(); ; <-time.After(100 * time.Millisecond) {
		if ok() {
			return time.Since(began)
		}
		if time.Since(began) > within {
			w.t.Fatalf("waited %s in vain for %s", within, what)
		}
	}
}

// fleet is what the hub says of it.
func (w *world) fleet() (v view.FleetView) {
	w.t.Helper()
	must(w.t, json.Unmarshal([]byte(w.hub("rollout", "list", "--json")), &v))
	return v
}

// device is what the hub says of one PC and its release.
func (w *world) device(p *pc) (v view.ReleaseView) {
	w.t.Helper()
	must(w.t, json.Unmarshal([]byte(w.hub("rollout", "device", p.name, "--json")), &v))
	return v
}

// db reads the hub's database file.
func (w *world) db() *sql.DB {
	w.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+w.at("hubdata/hub.db")+"?mode=ro&_busy_timeout=5000")
	must(w.t, err)
	return db
}

// given are the addresses that port gave away: who gets one may listen there much later.
var given sync.Map

// port finds an address below those that the system gives to outgoing connections.
func port(t *testing.T) string {
	t.Helper()
	for range 200 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 15_000+rand.IntN(17_000)))
		if err != nil {
			continue
		}
		defer l.Close()
		if _, twice := given.LoadOrStore(l.Addr().String(), true); !twice {
			return l.Addr().String()
		}
	}
	t.Fatal(errors.New("no port is free"))
	return ""
}
