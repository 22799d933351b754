package prom

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/meter"
)

func TestPage(t *testing.T) {
	var b bytes.Buffer
	p := Page{&b, "agent"}
	var s meter.Stage
	s.In.Add(7)
	s.Out.Add(5)
	s.Refused.Add(2)
	p.Stage("buffer", &s)
	p.Gauge("backlog", 3, "stream", "sa\"le\\s\nx 1")
	p.Is("connected", true)
	want := []string{`tillpost_agent_stage_total{stage="buffer",result="in"} 7`, `tillpost_agent_stage_total{stage="buffer",result="out"} 5`, `tillpost_agent_stage_total{stage="buffer",result="refused"} 2`,
		`tillpost_agent_stage_total{stage="buffer",result="retried"} 0`, `tillpost_agent_backlog{stream="sa\"le\\s\nx 1"} 3`, "tillpost_agent_connected 1"}
	var got []string
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "#") {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
