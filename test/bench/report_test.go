package main

import (
	"strings"
	"testing"
)

// The table shows medians with their range, judges a ratio by its median, and sums what was lost over all runs.
func TestReport(t *testing.T) {
	run := func(value, limit float64, lost int) result {
		return result{figures: []figure{{"fast", value, " tickets/s", limit, timesRaw(0.5)}, {"small", value / 100, " B", 0, atMost(100)}}, lost: lost}
	}
	var out strings.Builder
	report(&out, map[string][]result{measures[0].name: {run(40_000, 100_000, 0), run(1_234_567, 1_000_000, 2), run(60_000, 100_000, 0)}})
	for _, want := range []string{"≥ 0.50 × raw", "60,000 tickets/s (40,000–1,234,567)", "0.60 × (0.40–1.23)", "600 B (400–12,346)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	lines := strings.Split(out.String(), "\n")
	for name, verdict := range map[string]string{"  fast": "reached", "  small": "MISSED"} {
		for _, l := range lines {
			if strings.HasPrefix(l, name) && !strings.HasSuffix(l, verdict) {
				t.Errorf("%q does not end with %s", l, verdict)
			}
		}
	}
	if !strings.Contains(out.String(), "(3 runs)") || !strings.Contains(lines[5], " 2 ") {
		t.Errorf("the lost ones are not told:\n%s", out.String())
	}
}
