package e2e_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sheet is a profile that the hub sends along: no till ships with it.
const sheet = "[profiles]\nsheet = '''\nname=\"sheet\"\nformat=\"csv\"\nsystem=\"sheet\"\ncurrency=\"USD\"\nzone=\"UTC\"\ntimes=[\"2006-01-02 15:04\"]\n[ticket]\nid=\"{No}\"\nlocation=\"S1\"\nat=\"{When}\"\n" +
	"[[line]]\nkind=\"item\"\ncategory=\"{What}\"\namount=\"{Price}\"\n[[tender]]\ntype=\"cash\"\n'''\n"

// folder is a source of the hub's.
func folder(name, dir string) string {
	return fmt.Sprintf("[[source.filedrop]]\nname = %q\ndir = %q\nprofile = 'sheet'\nsettle = '20ms'\n", name, dir)
}

// give sets a PC's own settings at the hub.
func (c *certified) give(t *testing.T, settings string) {
	t.Helper()
	c.hub(t, "device", "config", "set", "pc-s1", "--reason", "test", "--file", writeFile(t, c.at("settings.toml"), "%s", settings))
}

// wish is what the hub knows of what a PC shall be.
type wish struct {
	Standing string
	Version  int64
	Report   struct{ State, Reason string }
	Commands []asked
}

type asked struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Outcome string
	Detail  string
	Bundle  int64
}

func (c *certified) wish(t *testing.T) (w wish) {
	t.Helper()
	if err := json.Unmarshal([]byte(c.hub(t, "device", "config", "show", "pc-s1", "--json")), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

func (c *certified) stands(t *testing.T, want string) wish {
	t.Helper()
	var w wish
	defer func() {
		if w.Standing != want {
			t.Logf("it stands at %+v", w)
		}
	}()
	for end := time.Now().Add(soon); time.Now().Before(end); <-time.After(250 * time.Millisecond) {
		if w = c.wish(t); w.Standing == want {
			return w
		}
	}
	t.Fatalf("waited %v in vain for the PC to stand at %s", soon, want)
	return w
}

func (c *certified) sheet(t *testing.T, dir, id string) {
	t.Helper()
	writeFile(t, filepath.Join(c.at(dir), id+".csv"), "No,When,What,Price\n%s,%s,Toys,1.00\n", id, time.Now().UTC().Format("2006-01-02 15:04"))
}

// has waits until the ledger has a ticket.
func (c *certified) has(t *testing.T, id string) {
	t.Helper()
	c.until(t, "ticket "+id, func() bool {
		for _, x := range c.ledger(t) {
			if x == id {
				return true
			}
		}
		return false
	})
}

// newWished is an enrolled PC that runs, with folders to read.
func newWished(t *testing.T) *certified {
	t.Helper()
	if testing.Short() {
		t.Skip("builds binaries; left out of short runs")
	}
	c := newCertified(t, "2160h")
	c.mustEnrol(t, c.hub(t, "device", "code", "S1"))
	for _, d := range []string{"one", "two"} {
		if err := os.Mkdir(c.at(d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c.start(t, c.programs["agent"], "")
	c.until(t, "the agent to be connected", func() bool { return c.connected(t) })
	return c
}

// TestSettingsFromTheHub: a folder that head office adds is read; what cannot be used is refused and told; what breaks the agent's reading is
// given back with tickets flowing all the while; and the hub can go back.
func TestSettingsFromTheHub(t *testing.T) {
	t.Parallel()
	c := newWished(t)
	c.sheet(t, "one", "from-one")
	c.give(t, sheet+folder("till-one", c.at("one")))
	c.has(t, "from-one")
	c.stands(t, "applied")

	c.give(t, sheet+folder("till-one", c.at("one"))+"[[source.terminal]]\nname='front'\naddress='127.0.0.1'\nlocation='S1'\ntill='P1'\nzone='Mars'\n")
	if w := c.stands(t, "refused"); !strings.Contains(w.Report.Reason, "Mars") {
		t.Errorf("the hub is told %q", w.Report.Reason)
	}
	c.ticket(t, "while-refused")
	c.has(t, "while-refused")

	if out := c.hub(t, "device", "config", "rollback", "pc-s1"); !strings.Contains(out, "Version 3") {
		t.Error(out)
	}
	c.stands(t, "applied") // they hold already: nothing is tried

	c.give(t, sheet+folder("till-one", c.at("one"))+folder("till-two", c.at("not-there")))
	c.until(t, "the trial to begin", func() bool {
		out, _, _ := c.agent(t, "", "status")
		return strings.Contains(out, "new ones are being tried")
	})
	c.sheet(t, "one", "on-trial")
	c.has(t, "on-trial")
	if w := c.stands(t, "rolled_back"); !strings.Contains(w.Report.Reason, "till-two") {
		t.Errorf("the hub is told %q", w.Report.Reason)
	}
	c.until(t, "the agent to be back", func() bool { return c.connected(t) })
	for lang, want := range map[string]string{"en": "the last ones did not work here", "es": "los últimos no funcionaron aquí"} {
		if out, rc, _ := c.agent(t, "", "status", "--lang", lang); rc != 0 || !strings.Contains(out, want) {
			t.Errorf("the manager is told %d: %s", rc, out)
		}
	}
	c.sheet(t, "one", "given-back")
	c.has(t, "given-back")
	c.arrives(t, "from-one", "given-back", "on-trial", "while-refused")
}

// TestCommandsFromTheHub: each ends once and is told once.
func TestCommandsFromTheHub(t *testing.T) {
	t.Parallel()
	c := newWished(t)
	c.hub(t, "device", "doctor", "pc-s1", "--reason", "a call of the store")
	c.hub(t, "device", "log-level", "pc-s1", "debug", "--for", "4s")
	c.hub(t, "device", "bundle", "pc-s1")
	c.hub(t, "device", "restart", "pc-s1")
	ended := func() map[string]asked {
		out := map[string]asked{}
		for _, x := range c.wish(t).Commands {
			if x.Outcome != "" {
				out[x.Kind] = x
			}
		}
		return out
	}
	c.until(t, "four commands to end", func() bool { return len(ended()) == 4 })
	all := ended()
	for kind, x := range all {
		if x.Outcome != "done" && kind != "doctor" && kind != "support-bundle" {
			t.Errorf("%s ended %s: %s", kind, x.Outcome, x.Detail)
		}
	}
	if all["doctor"].Outcome != "done" || all["support-bundle"].Outcome != "done" { // the restart may have cut them off, and says so
		for _, kind := range []string{"doctor", "support-bundle"} {
			if x := all[kind]; x.Outcome == "failed" && !strings.Contains(x.Detail, "the agent ended while it ran") {
				t.Errorf("%s ended %s: %s", kind, x.Outcome, x.Detail)
			}
		}
	}
	c.until(t, "the agent to be back", func() bool { return c.connected(t) })
	c.hub(t, "device", "bundle", "pc-s1")
	c.hub(t, "device", "doctor", "pc-s1")
	c.until(t, "six commands to end", func() bool {
		n := 0
		for _, x := range c.wish(t).Commands {
			if x.Outcome != "" {
				n++
			}
		}
		return n == 6
	})
	for _, x := range c.wish(t).Commands[:2] {
		if x.Outcome != "done" || x.Detail == "" {
			t.Errorf("%s ended %s: %s", x.Kind, x.Outcome, x.Detail)
		}
	}
	c.hub(t, "device", "bundle", "pc-s1", "--save", c.at("bundle.zip"))
	body, err := os.ReadFile(c.at("bundle.zip"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range z.File {
		names[f.Name] = true
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r)
		if bytes.Contains(text, []byte("PRIVATE KEY")) {
			t.Errorf("%s holds a key", f.Name)
		}
	}
	if !names["status.json"] || !names["settings.toml"] {
		t.Errorf("the bundle holds %v", names)
	}
	db, err := c.db()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var told int
	if err := db.QueryRow(`SELECT count(*) FROM envelope WHERE kind = 'command.v1'`).Scan(&told); err != nil || told != 6 {
		t.Errorf("six commands were told of %d times, %v", told, err)
	}
}

// TestKilledAtEachStepOfNewSettings pulls the plug at each step; the next start heals by itself and the hub is told the end.
func TestKilledAtEachStepOfNewSettings(t *testing.T) {
	if os.Getenv("TILLPOST_DESIRED") == "" {
		t.Skip("waits out a trial after each kill, a minute and a half in all: TILLPOST_DESIRED=1 runs it; agent/desired enumerates the same steps on files")
	}
	t.Parallel()
	mars := "[[source.terminal]]\nname='front'\naddress='127.0.0.1'\nlocation='S1'\ntill='P1'\nzone='Mars'\n"
	for name, steps := range map[string][]step{ // each in a world of its own: a step waits for its trial
		"tried":     {{"desired.marked", "", "applied"}, {"desired.written", "", "applied"}, {"desired.counted", "", "applied"}},
		"kept":      {{"desired.commit", "", "applied"}, {"desired.committed", "", "applied"}, {"desired.applied", "", "applied"}},
		"not taken": {{ends: "applied"}, {"desired.refused", mars, "refused"}, {"desired.give", folder("two", "/not/there"), "rolled_back"}, {"desired.given", folder("two", "/not/there/either"), "rolled_back"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newWished(t)
			for i, x := range steps {
				c.cutAt(t, i, x)
			}
			c.alive(t)
		})
	}
	t.Run("dies each time", func(t *testing.T) {
		t.Parallel()
		newWished(t).diesEachTime(t)
	})
}

// step is where the power is cut, "" = it is not; what the settings hold besides folders; and how they end.
type step struct{ point, more, ends string }

// cutAt sends settings, cuts the power at a step of their way, and wants a ticket to come through in the end.
func (c *certified) cutAt(t *testing.T, i int, x step) {
	t.Helper()
	agent := c.programs["agent"]
	if x.point != "" {
		c.kill(t, agent)
		c.start(t, agent, x.point+":1")
	}
	c.give(t, sheet+folder("one", c.at("one"))+x.more+fmt.Sprintf("[[source.filedrop]]\nname='two-%d'\ndir=%q\nprofile='sheet'\n", i, c.at("two")))
	if x.point != "" {
		if agent.end(soon) != pulled {
			t.Fatalf("%s was not met", x.point)
		}
		c.start(t, agent, "")
	}
	c.stands(t, x.ends)
	id := fmt.Sprintf("t%02d", i)
	c.sheet(t, "one", id)
	c.has(t, id)
}

// diesEachTime sends settings with which the agent does not live: three starts, then those before. And a restart that is noted when the power is
// cut was done by that.
func (c *certified) diesEachTime(t *testing.T) {
	t.Helper()
	agent := c.programs["agent"]
	c.kill(t, agent)
	c.start(t, agent, "desired.counted:1")
	c.give(t, sheet+folder("one", c.at("one"))+folder("last", c.at("two")))
	for n := range 3 {
		if agent.end(soon) != pulled {
			t.Fatalf("start %d with settings on trial was not counted", n+1)
		}
		point := "desired.counted:1"
		if n == 2 {
			point = "" // there is no fourth
		}
		c.start(t, agent, point)
	}
	if w := c.stands(t, "rolled_back"); !strings.Contains(w.Report.Reason, "was started 3 times") {
		t.Errorf("the hub is told %q", w.Report.Reason)
	}
	c.kill(t, agent)
	c.start(t, agent, "desired.command:1")
	c.hub(t, "device", "restart", "pc-s1")
	if agent.end(soon) != pulled {
		t.Fatal("desired.command was not met")
	}
	c.start(t, agent, "")
	c.until(t, "the restart to be told", func() bool { w := c.wish(t); return len(w.Commands) > 0 && w.Commands[0].Outcome == "done" })
	c.alive(t)
}
