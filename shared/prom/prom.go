// Package prom writes figures in the words that Prometheus reads.
package prom

import (
	"fmt"
	"io"
	"strings"

	"github.com/VictoriaMetrics/metrics"

	"github.com/tillpost/tillpost/shared/meter"
)

// Page writes one answer to a scrape. Program begins every name.
type Page struct {
	W       io.Writer
	Program string
}

// Stage writes a stage's counts.
func (p Page) Stage(name string, s *meter.Stage) {
	p.Counter("stage_total", s.In.Load(), "stage", name, "result", "in")
	p.Counter("stage_total", s.Out.Load(), "stage", name, "result", "out")
	p.Counter("stage_total", s.Refused.Load(), "stage", name, "result", "refused")
	p.Counter("stage_total", s.Retried.Load(), "stage", name, "result", "retried")
}

// Counter writes what only grows. labels are names and values in turn.
func (p Page) Counter(name string, n uint64, labels ...string) {
	metrics.WriteCounterUint64(p.W, p.name(name, labels), n)
}

// Gauge writes what goes up and down. Nothing that is shown is below 0.
func (p Page) Gauge(name string, n uint64, labels ...string) {
	metrics.WriteGaugeUint64(p.W, p.name(name, labels), n)
}

// Is writes 1 or 0.
func (p Page) Is(name string, yes bool, labels ...string) {
	n := uint64(0)
	if yes {
		n = 1
	}
	p.Gauge(name, n, labels...)
}

// Process writes what Go and the system say of this process: memory, processor time, open files.
func (p Page) Process() { metrics.WriteProcessMetrics(p.W) }

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (p Page) name(name string, labels []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "tillpost_%s_%s", p.Program, name)
	for i := 0; i+1 < len(labels); i += 2 {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		fmt.Fprintf(&b, `%s%s="%s"`, sep, labels[i], escape.Replace(strings.ToValidUTF8(labels[i+1], "?")))
	}
	if len(labels) > 1 {
		b.WriteByte('}')
	}
	return b.String()
}
