package topic

import (
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

func TestParseReadsWhatWeWrite(t *testing.T) {
	for _, s := range envelope.Streams {
		for kind, name := range map[string]string{"up": Up("d-1", s), "hello": Hello("d-1", s), "head": Head("d-1", s)} {
			if k, d, got, ok := Parse(name); !ok || k != kind || d != "d-1" || got != s {
				t.Errorf("%s: got %s %s %s %v", name, k, d, got, ok)
			}
		}
	}
	for kind, name := range map[string]string{"birth": Birth("d-1"), "poll": Poll("d-1"), "desired": Desired("d-1")} {
		if k, d, _, ok := Parse(name); !ok || k != kind || d != "d-1" {
			t.Errorf("%s: got %s %s %v", kind, k, d, ok)
		}
	}
}

// Whatever a broker hands over, Parse gives only devices that may stand in a topic, and its answer writes the same topic again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{Up("d1", envelope.Sales), Birth("d1"), Poll("d1"), Desired("d1"), Hub(), "tp1/up/d1", "tp1/up/D 1/sales", "tp1/up/+/sales", "/", "tp1/birth/d1/x", "tp1/up//"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		kind, d, s, ok := Parse(name)
		if !ok {
			return
		}
		if !d.Valid() || strings.ContainsAny(string(d), "/+#. ") {
			t.Fatalf("%q gives device %q", name, d)
		}
		again := map[string]string{"up": Up(d, s), "hello": Hello(d, s), "head": Head(d, s), "birth": Birth(d), "poll": Poll(d), "desired": Desired(d)}[kind]
		if again != name {
			t.Fatalf("%q is read as %s %s %s, which is %q", name, kind, d, s, again)
		}
	})
}

func TestDevicesThatMayNotStandInATopic(t *testing.T) {
	for _, d := range []retail.DeviceID{"", "A", "a b", "a/b", "+", "#", "a.b", "ä", retail.DeviceID(strings.Repeat("a", 65))} {
		if d.Valid() {
			t.Errorf("%q is valid", d)
		}
	}
}
