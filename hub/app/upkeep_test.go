package app

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/upkeep"
)

// TestTheDiskIsToldAsItFills: the running hub's own look, with the system's word replaced.
func TestTheDiskIsToldAsItFills(t *testing.T) {
	free := uint64(5 << 30)
	k := keeper{free: func(string) (uint64, error) { return free, nil }}
	now := time.Now()
	for _, x := range []struct {
		mb   uint64
		says string
	}{{5000, ""}, {900, "The hub's disk fills"}, {1100, "The hub's disk fills"}, {150, "almost full"}, {2000, ""}} {
		free = x.mb << 20
		if err := k.disk(t.TempDir(), now); err != nil {
			t.Fatal(err)
		}
		ns := k.State().Needs(now)
		if (len(ns) == 1) != (x.says != "") || len(ns) == 1 && !strings.Contains(ns[0].Title, x.says) {
			t.Errorf("%d MB: %+v", x.mb, ns)
		}
		if len(ns) > 0 && !upkeep.Pressing(ns) {
			t.Errorf("%d MB does not press", x.mb)
		}
	}
}

// TestWhatIsShownWhere: each address whose certificate somebody must renew, and the hub's own.
func TestWhatIsShownWhere(t *testing.T) {
	for _, x := range []struct {
		set  func(*Config)
		want string
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.Web.CertFile, c.Web.Listen = "w.pem", "0.0.0.0:443" }, "web 127.0.0.1:443  w.pem"},
		{func(c *Config) { c.Broker.CertFile, c.Broker.Listen = "b.pem", ":8883" }, "broker 127.0.0.1:8883  b.pem"},
		{func(c *Config) { c.Enrol.Listen, c.Broker.Listen = "0.0.0.0:8790", "10.0.0.1:8883" }, "broker 10.0.0.1:8883 hub.tillpost.internal "},
		{func(c *Config) { c.Broker.URL = "mqtts://mq.example.com:8883" }, "broker mq.example.com:8883 mq.example.com "},
		{func(c *Config) { c.Broker.URL = "mqtt://127.0.0.1:1883" }, ""},
	} {
		c := Default()
		x.set(&c)
		var got []string
		for _, s := range c.shownBy() {
			got = append(got, strings.Join([]string{s.name, s.addr, s.server, s.file}, " "))
		}
		if s := strings.Join(got, "; "); s != x.want {
			t.Errorf("got %q, want %q", s, x.want)
		}
	}
}
