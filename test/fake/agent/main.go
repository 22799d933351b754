// Command agent behaves as the agent does towards the installer: the same commands, answers and exit codes, on a pretended hub and service
// manager that are files. What it promises is what agent/app, agent enrol and shared/service promise; test/install runs the real ones, too,
// where a system can be had.
//
// Everything lies below the root folder that the settings' path is in: hub.json is the hub, system.json the service manager.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Version is set when it is built. One that starts with "broken" never comes up; "v9-mute" is a program that does not even start.
var Version = "v1.0.0"

// Hub is what head office knows.
type Hub struct {
	Codes map[string]*Code `json:"codes"`
	Taken []string         `json:"taken"` // records that were sent or taken in
}

// Code is a one-time code.
type Code struct {
	Device, Locations string
	Key               string // who redeemed it
	Times             int
}

// System is the service manager.
type System struct {
	Registered bool
	Running    string // the version that runs
}

type call struct {
	root, settings string
	hub            Hub
	sys            System
}

func main() {
	if strings.HasPrefix(Version, "v9-mute") {
		fmt.Fprintln(os.Stderr, "cannot execute")
		os.Exit(126)
	}
	args, settings, flags := parse(os.Args[1:])
	c := &call{settings: settings, root: filepath.Dir(filepath.Dir(filepath.Dir(settings)))} // root/etc/tillpost/agent.toml
	if settings == "" {
		fmt.Println(Version)
		return
	}
	load(filepath.Join(c.root, "hub.json"), &c.hub)
	load(filepath.Join(c.root, "system.json"), &c.sys)
	if err := c.do(args, flags); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}

func parse(in []string) (args []string, settings string, flags map[string]string) {
	flags = map[string]string{}
	for i := 0; i < len(in); i++ {
		switch {
		case in[i] == "--json":
		case strings.HasPrefix(in[i], "--") && i+1 < len(in):
			flags[in[i][2:]] = in[i+1]
			i++
		default:
			args = append(args, in[i])
		}
	}
	return args, flags["config"], flags
}

func (c *call) do(args []string, flags map[string]string) error {
	switch strings.Join(args[:min(2, len(args))], " ") {
	case "version":
		return say(map[string]any{"version": Version})
	case "check-config":
		_, err := os.Stat(c.settings)
		return err
	case "status":
		if _, err := os.Stat(c.settings); err != nil {
			return err
		}
		n := len(c.waiting())
		if c.sys.Running != "" && n > 0 && !c.offline() {
			c.hub.Taken = append(c.hub.Taken, c.waiting()...)
			must(os.WriteFile(c.buffer(), nil, 0o600))
			n = 0
			c.save()
		}
		return say(map[string]any{"device": "store-17", "version": c.sys.Running, "running": c.sys.Running != "", "connected": !c.offline(), "waiting": n, "page": "http://127.0.0.1:8751"})
	case "doctor":
		return say(map[string]any{"findings": []map[string]any{{"what": "hub", "state": "good", "found": "it answers"}}})
	case "enrol":
		return c.enrol(flags)
	case "service install":
		c.sys.Registered = true
	case "service uninstall":
		c.sys = System{}
	case "service start":
		if !c.sys.Registered {
			return errors.New("the service is not installed")
		}
		if !strings.HasPrefix(Version, "broken") && c.sys.Running == "" {
			c.sys.Running = Version
		}
	case "service stop":
		c.sys.Running = ""
	case "service status":
		return say(map[string]any{"installed": c.sys.Registered, "running": c.sys.Running != ""})
	case "buffer export":
		f, err := os.OpenFile(args[2], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = f.WriteString(strings.Join(c.waiting(), "\n"))
		return errors.Join(err, f.Close())
	case "buffer replay":
		b, err := os.ReadFile(args[2])
		if err != nil {
			return err
		}
		return os.WriteFile(c.buffer(), b, 0o600)
	default:
		return fmt.Errorf("unknown command %v", args)
	}
	c.save()
	return nil
}

// enrol redeems a code once; the key that redeemed it may ask again, as a PC does whose power went before the answer was on its disk.
func (c *call) enrol(flags map[string]string) error {
	data := flags["data-dir"]
	b, err := os.ReadFile(flags["code-file"])
	must(err)
	hub, code := flags["hub"], strings.TrimSpace(string(b))
	must(os.MkdirAll(data, 0o700))
	id, pending := filepath.Join(data, "identity.json"), filepath.Join(data, "identity.next")
	if done, err := os.ReadFile(id); err == nil && strings.HasSuffix(string(done), code) {
		return say(map[string]any{"hub": "hub-1", "device": c.hub.Codes[code].Device, "locations": c.hub.Codes[code].Locations, "again": true})
	}
	key, err := os.ReadFile(pending)
	if err != nil {
		b := make([]byte, 8)
		_, _ = rand.Read(b)
		key = []byte(hex.EncodeToString(b))
		must(os.WriteFile(pending, key, 0o600))
	}
	k := c.hub.Codes[code]
	switch {
	case hub == "away.example.com":
		return errors.New("enrol: head office does not answer at away.example.com. Check the address and this PC's internet connection, then try again; the code is still good")
	case k == nil:
		return errors.New("enrol: head office does not know this code. Compare it sign by sign, or ask for a new one")
	case k.Key != "" && k.Key != string(key):
		return errors.New("enrol: this code was used by another PC. Ask head office for a new one")
	}
	k.Key, k.Times = string(key), k.Times+1
	c.save()
	must(os.WriteFile(id, fmt.Appendf(nil, "{\"locations\":%q}\n%s by %s", k.Locations, k.Device, code), 0o600))
	if _, err := os.Stat(c.settings); err != nil {
		must(os.WriteFile(c.settings, []byte(fmt.Sprintf("data_dir = %q\n", data)), 0o644))
	}
	must(os.Remove(pending))
	return say(map[string]string{"hub": "hub-1", "device": k.Device, "locations": k.Locations})
}

func (c *call) buffer() string { return filepath.Join(c.root, "var/lib/tillpost-agent/buffer.db") }

// waiting are the records in the buffer, one a line.
func (c *call) waiting() []string {
	b, _ := os.ReadFile(c.buffer())
	return strings.Fields(string(b))
}

func (c *call) offline() bool {
	_, err := os.Stat(filepath.Join(c.root, "offline"))
	return err == nil
}

func (c *call) save() {
	for name, v := range map[string]any{"hub.json": c.hub, "system.json": c.sys} {
		b, err := json.Marshal(v)
		must(err)
		path := filepath.Join(c.root, name)
		must(os.WriteFile(path+".new", b, 0o600))
		must(os.Rename(path+".new", path))
	}
}

func load(path string, v any) {
	if b, err := os.ReadFile(path); err == nil {
		must(json.Unmarshal(b, v))
	}
}

func say(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}
