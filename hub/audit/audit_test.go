package audit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

var (
	key  = rollup.DayKey{Location: "S1", Day: "2026-11-20"}
	ends = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
)

func usd(n int64) money.Amount { return money.Of(n, "USD") }

func TestJudge(t *testing.T) {
	past, short := audit.Mark{Source: "d/a", Through: ends}, audit.Mark{Source: "d/b", Through: ends.Add(-time.Minute)}
	wrong := retail.Control{Source: "Z", Tickets: 3, Gross: usd(100)}
	rules := audit.Rules{Gaps: audit.Advisory, Control: audit.Advisory, Grace: 6 * time.Hour, ControlWait: 24 * time.Hour}
	need := func(gaps, control audit.Need) audit.Rules {
		r := rules
		r.Gaps, r.Control = gaps, control
		return r
	}
	for _, c := range []struct {
		name                        string
		facts                       audit.Facts
		rules                       audit.Rules
		after                       time.Duration // now − the day's end
		complete, audited, unproven bool
		cause                       cases.Cause // a case of it, "" = none
		says                        string
	}{
		{"every source is past the end", audit.Facts{Marks: []audit.Mark{past}}, rules, time.Minute, true, true, false, "", ""},
		{"the day still runs", audit.Facts{Marks: []audit.Mark{past}}, rules, -time.Minute, false, false, false, "", "ends at"},
		{"one source is behind", audit.Facts{Marks: []audit.Mark{past, short}}, rules, time.Minute, false, false, false, "", "not read past"},
		{"one source is behind after the grace", audit.Facts{Marks: []audit.Mark{past, short}}, rules, 7 * time.Hour, false, false, false, cases.MissingProof, "not read past"},
		{"a person lives with it", audit.Facts{Marks: []audit.Mark{short}, Accepted: map[string]string{cases.ID(cases.MissingProof, key.String()): "d/b is behind"}}, rules, 7 * time.Hour, true, true, true, cases.MissingProof, ""},
		{"nothing proves it", audit.Facts{}, rules, time.Minute, false, false, false, "", "no source proves"},
		{"nothing proves it after the grace", audit.Facts{}, rules, 6 * time.Hour, true, true, true, "", ""},
		{"a person approves it as it is", audit.Facts{Approved: true}, rules, time.Minute, true, true, true, "", ""},
		{"the zone is not known", audit.Facts{Ends: time.Time{}}, rules, time.Minute, false, false, false, "", "time zone"},
		{"a till is not confirmed", audit.Facts{Marks: []audit.Mark{past}, Unconfirmed: []string{"till T9"}}, rules, time.Minute, false, false, false, "", "till T9"},
		{"a till is not confirmed, and nothing proves the day", audit.Facts{Unconfirmed: []string{"till T9"}}, rules, time.Minute, false, false, true, "", "till T9"},
		{"a till is not confirmed while the day runs", audit.Facts{Unconfirmed: []string{"till T9"}}, rules, -time.Minute, false, false, false, "", "till T9"},
		{"an advisory gap", audit.Facts{Marks: []audit.Mark{past}, Gaps: []audit.Gap{{Till: "T1", From: 4, To: 5}}}, rules, time.Minute, true, true, false, cases.Gap, ""},
		{"a required gap", audit.Facts{Marks: []audit.Mark{past}, Gaps: []audit.Gap{{Till: "T1", From: 4, To: 5}}}, need(audit.Required, audit.Absent), time.Minute, true, false, false, cases.Gap, "4 to 5"},
		{"a control total differs", audit.Facts{Marks: []audit.Mark{past}, Tickets: 2, Gross: usd(100), Controls: []retail.Control{wrong}}, rules, time.Minute, true, false, false, cases.ControlTotal, "tickets 3, ours 2"},
		{"a control total agrees", audit.Facts{Marks: []audit.Mark{past}, Tickets: 3, Gross: usd(100), Controls: []retail.Control{wrong}}, need(audit.Absent, audit.Required), time.Minute, true, true, false, "", ""},
		{"a required control total is missing", audit.Facts{Marks: []audit.Mark{past}}, need(audit.Absent, audit.Required), time.Hour, true, false, false, "", "control total"},
		{"and still is after a day", audit.Facts{Marks: []audit.Mark{past}}, need(audit.Absent, audit.Required), 25 * time.Hour, true, false, false, cases.MissingProof, "control total"},
		{"the source's profile gives no control total", audit.Facts{Marks: []audit.Mark{past}, Says: audit.Needs{Control: audit.Absent}}, need(audit.Absent, audit.Required), time.Hour, true, true, false, "", ""},
		{"the source's profile requires its numbers", audit.Facts{Marks: []audit.Mark{past}, Gaps: []audit.Gap{{Till: "T1", From: 4, To: 4}}, Says: audit.Needs{Gaps: audit.Required}}, rules, time.Hour, true, false, false, cases.Gap, "till T1: 4"},
		{"a gap that a person lives with", audit.Facts{Marks: []audit.Mark{past}, Gaps: []audit.Gap{{Till: "T1", From: 4, To: 4}}, Accepted: map[string]string{cases.ID(cases.Gap, key.String()): "missing: till T1: 4"}}, need(audit.Required, audit.Absent), time.Hour, true, true, false, cases.Gap, ""},
		{"a gap beside the one that a person lives with", audit.Facts{Marks: []audit.Mark{past}, Gaps: []audit.Gap{{Till: "T1", From: 9, To: 9}}, Accepted: map[string]string{cases.ID(cases.Gap, key.String()): "missing: till T1: 4"}}, need(audit.Required, audit.Absent), time.Hour, true, false, false, cases.Gap, "till T1: 9"},
		{"a PC that was replaced", audit.Facts{Marks: []audit.Mark{past, {Source: "old/a", Through: ends.Add(-time.Hour), Former: true}}}, rules, time.Minute, true, true, false, "", ""},
		{"only a PC that was replaced", audit.Facts{Marks: []audit.Mark{{Source: "old/a", Through: ends.Add(-time.Hour), Former: true}}}, rules, time.Minute, false, false, false, "", "no source proves"},
		{"a device that tells nothing", audit.Facts{Marks: []audit.Mark{past}, Mute: []string{"pc-2"}}, rules, time.Minute, false, false, false, "", "no source proves"},
		{"a device that tells nothing, after the grace", audit.Facts{Marks: []audit.Mark{past}, Mute: []string{"pc-2"}}, rules, 7 * time.Hour, true, true, true, "", ""},
		{"an open day without a ticket after the grace", audit.Facts{Marks: []audit.Mark{past}, Expected: true}, rules, 7 * time.Hour, false, false, false, cases.MissingProof, "nothing has come"},
		{"an open day without a ticket", audit.Facts{Marks: []audit.Mark{past}, Expected: true}, rules, time.Minute, false, false, false, "", "nothing has come"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := c.facts
			f.Key, f.Now = key, ends.Add(c.after)
			if c.name != "the zone is not known" {
				f.Ends = ends
			}
			v := audit.Judge(f, c.rules)
			if v.Complete != c.complete || v.Audited != c.audited || v.Unproven != c.unproven {
				t.Errorf("got complete %v audited %v unproven %v (%s)", v.Complete, v.Audited, v.Unproven, v.Why)
			}
			if !strings.Contains(v.Why, c.says) || c.says == "" && v.Why != "" {
				t.Errorf("it says %q, want %q", v.Why, c.says)
			}
			var got cases.Cause
			for _, k := range v.Cases {
				got = k.Cause
			}
			if got != c.cause {
				t.Errorf("got case %q, want %q", got, c.cause)
			}
		})
	}
}
