package app

import (
	"time"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/shared/config"
)

// PostingConfig is head office's rules for store-days.
type PostingConfig struct {
	AutoApprove bool            `toml:"auto_approve"`
	Shadow      bool            `toml:"shadow" comment:"post nothing, and compare with what the old way posts; days that began while it was on are never posted"`
	Grace       config.Duration `toml:"grace" comment:"after a day's end, when nothing proves that it is complete"`
	Settle      config.Duration `toml:"settle" comment:"how long a posted day must be quiet before late tickets are posted"`
	SuspenseCap string          `toml:"suspense_cap" comment:"such as 100.00 USD; a store-day with more in suspense waits; empty: no cap"`
	Gaps        audit.Need      `toml:"ticket_gaps" comment:"absent, advisory or required"`
	Control     audit.Need      `toml:"control_total"`
	ControlWait config.Duration `toml:"control_wait"`
	Closed      lockdate.Policy `toml:"closed_period" comment:"hold, next or ask: what becomes of a day whose period is closed in Odoo, where its location says nothing"`
	Journal     string          `toml:"journal"`
	Suspense    string          `toml:"suspense_account"`
}

func (p PostingConfig) validate(f *config.Faults) {
	for name, n := range map[string]audit.Need{"ticket_gaps": p.Gaps, "control_total": p.Control} {
		if n != audit.Absent && n != audit.Advisory && n != audit.Required {
			f.Add("posting.%s: %q is not absent, advisory or required", name, n)
		}
	}
	if !p.Closed.Valid() {
		f.Add("posting.closed_period: %q is not hold, next or ask", p.Closed)
	}
	if _, err := amountOf(p.SuspenseCap); err != nil {
		f.Add("posting.suspense_cap: %q is not an amount like 100.00 USD", p.SuspenseCap)
	}
}

func (p PostingConfig) rules() audit.Rules {
	return audit.Rules{Gaps: p.Gaps, Control: p.Control, Grace: time.Duration(p.Grace), ControlWait: time.Duration(p.ControlWait)}
}
