package people_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestADayByCommands: from an empty folder to a verified day, by commands alone, and every question on the way answered once.
func TestADayByCommands(t *testing.T) {
	g := newRig(t)
	if got := g.hub(1, "status"); !strings.Contains(got, "The hub does not run") {
		t.Errorf("status without a hub: %s", got)
	}
	g.startHub()
	if got := g.hub(1, "run"); !strings.Contains(got, "already running") {
		t.Errorf("a second hub on one folder: %s", got)
	}
	if got := g.hubIn("short\n", 1, "user", "add", "anna"); !strings.Contains(got, "password") {
		t.Errorf("a bad password: %s", got)
	}
	g.hubIn("correct horse 9\n", 0, "user", "add", "anna")
	g.hub(0, "user", "set", "anna", "--role", "admin", "--enable")
	if got := g.hub(1, "user", "set", "anna", "--disable"); !strings.Contains(got, "last admin") {
		t.Errorf("the last admin was disabled: %s", got)
	}
	if got := g.list(0, "cases"); got == nil || len(got) != 0 {
		t.Errorf("no case is [], not null: %v", got)
	}
	g.startAgent()
	if got := g.hub(1, "device", "add", "pc"); !strings.Contains(got, "keeps its password") {
		t.Errorf("a device was registered twice: %s", got)
	}
	yesterday := time.Now().UTC().AddDate(0, 0, -2).Format("2006-01-02")
	g.sell("A-1", "S1", yesterday+"T10:00:00Z", "cash")
	until(t, "the question about the location", func() bool { return len(g.list(0, "cases")) > 0 })
	if got := g.hub(1, "case", "unknown_location:S1", "confirm"); !strings.Contains(got, "time zone") {
		t.Errorf("confirmed without a time zone: %s", got)
	}
	g.hub(0, "location", "add", "S1", "--name", "First Street", "--zone", "UTC", "--cutoff", "00:00")
	g.hub(0, "odoo", "setup")
	g.hub(0, "odoo", "check")
	until(t, "the first ticket in Odoo", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
	g.sell("A-2", "S1", yesterday+"T11:00:00Z", "bitcoin") // setup makes accounts for what was sold before it, so this one comes later
	until(t, "the unknown code's case", func() bool { return strings.Contains(g.hub(0, "cases"), "unknown_code:tender:bitcoin") })
	until(t, "the day in Odoo", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
	day := g.hub(0, "day", "S1", yesterday)
	for _, want := range []string{"unproven", "tender:bitcoin", "20.00 USD", "no source tells how far it has read"} {
		if !strings.Contains(day, want) {
			t.Errorf("%q is missing in the day:\n%s", want, day)
		}
	}
	if got := g.hub(1, "case", "unknown_code:tender:bitcoin", "map", "--account", "4711"); !strings.Contains(got, "no account \"4711\"") {
		t.Errorf("mapped to an account that the books do not have: %s", got)
	}
	g.hub(0, "case", "unknown_code:tender:bitcoin", "map", "--account", "101900", "--reason", "asked finance")
	until(t, "the move out of suspense", func() bool { return strings.Contains(g.hub(0, "day", "S1", yesterday), "/3 delta") })
	until(t, "a good status", func() bool { return strings.Contains(hubWords(g, "status"), "All good") })
	if got := g.hub(0, "status"); !strings.Contains(got, "Without proof") || !strings.Contains(got, "unproven") {
		t.Errorf("status does not tell of the unproven day: %s", got)
	}
	way := g.hub(0, "log", "A-1")
	at := 0
	for _, stage := range []string{"till", "capture", "ingest", "fold", "document", "load", "post", "read-back"} {
		i := strings.Index(way[at:], "  "+stage+"  ")
		if i < 0 {
			t.Fatalf("stage %s is missing, or not in its order, in\n%s", stage, way)
		}
		at += i
	}
	g.erase(way)
	g.keep()
	g.location()
	if !g.logHas(g.hubLog, `"msg":"made"`, `"document":"S1/`+yesterday+`/1"`, `"location":"S1"`) || !g.logHas(g.hubLog, `"case":"unknown_location:S1"`) {
		t.Error("the log does not name documents and cases")
	}
	b, err := os.ReadFile(g.hubLog)
	g.ok(err)
	for _, secret := range []string{"Smith", "correct horse", "C7", "for Mrs"} {
		if strings.Contains(string(b), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// hubWords is a command's output however it ends.
func hubWords(g *rig, args ...string) string {
	for code := range 2 {
		if out, ok := g.try(code, args...); ok {
			return out
		}
	}
	return ""
}

// erase forgets the customer; the record goes, everything else stays.
func (g *rig) erase(before string) {
	g.t.Helper()
	if got := g.hub(0, "ticket", "A-1"); !strings.Contains(got, "Mrs Smith") {
		g.t.Errorf("the record before: %s", got)
	}
	if got := g.hub(1, "erase", "C7"); !strings.Contains(got, "--reason") {
		g.t.Errorf("erased without a reason: %s", got)
	}
	if got := g.hub(0, "erase", "C7", "--reason", "her request"); !strings.Contains(got, "2 raw records") {
		g.t.Errorf("the erasure: %s", got)
	}
	if got := g.hub(0, "ticket", "A-1"); strings.Contains(got, "Smith") || !strings.Contains(got, "tender:cash") {
		g.t.Errorf("the record after: %s", got)
	}
	if got := g.hub(0, "verify"); !strings.Contains(got, "2 of them erased") || !strings.Contains(got, "every chain is right") {
		g.t.Errorf("verify: %s", got)
	}
	if after := g.hub(0, "log", "A-1"); after != before {
		g.t.Errorf("the ticket's way changed:\n%s\n%s", before, after)
	}
}

// keep backs up, and puts back while no hub runs.
func (g *rig) keep() {
	g.t.Helper()
	file := filepath.Join(g.dir, "backup.db")
	g.hub(0, "backup", file)
	if got := g.hub(1, "restore", file); !strings.Contains(got, "stop the hub first") {
		g.t.Errorf("restored under a running hub: %s", got)
	}
	stop(g.hubProc, g.hubEnded)
	g.hub(0, "restore", file)
	g.startHub()
	until(g.t, "a good status after the restore", func() bool { return strings.Contains(hubWords(g, "status"), "All good") })
}

// location changes one thing and leaves the others.
func (g *rig) location() {
	g.t.Helper()
	g.hub(0, "location", "set", "S1", "--open-days", "mon tue")
	l := g.list(0, "locations")
	if len(l) != 1 || l[0]["Name"] != "First Street" || l[0]["Zone"] != "UTC" || l[0]["OpenDays"] != "mon tue" {
		g.t.Errorf("the location is %v", l)
	}
	if got := g.hub(1, "location", "set", "S1", "--cutoff", "04:00"); !strings.Contains(got, "are in documents") {
		g.t.Errorf("a cutoff moved posted days: %s", got)
	}
	g.hub(0, "location", "set", "S1", "--cutoff", "04:00", "--from", time.Now().UTC().AddDate(0, 1, 0).Format("2006-01-02"))
	if got := g.hub(1, "location", "set", "S9", "--name", "x", "--json"); !strings.Contains(got, `"code":"not_found"`) {
		g.t.Errorf("an error with --json: %s", got)
	}
}
