// Package arch keeps the rules of the house as tests: who may import whom, what a deciding package may touch, and what no file may hold.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"strings"
	"testing"
)

const module = "github.com/tillpost/tillpost/"

// uses lists for each package the packages of this repository that it may import; "x/*" is everything below x. The agent, the hub and the
// installer meet in shared alone, adapters do not import each other, and app wires. A package that is not here fails the test: a new one is
// a line here, and the line is the decision.
var uses = map[string]string{
	"shared/bug": "", "shared/failpoint": "", "shared/fault": "", "shared/health": "", "shared/version": "", "shared/mode": "", "shared/doctor": "",
	"shared/money": "shared/fault", "shared/guard": "shared/fault", "shared/config": "shared/fault", "shared/breaker": "shared/fault shared/mode",
	"shared/lock": "shared/fault", "shared/proxy": "shared/fault", "shared/logs": "", "shared/meter": "", "shared/prom": "shared/meter", "shared/crash": "", "shared/loopback": "", "shared/service": "shared/fault",
	"shared/retail":   "shared/fault shared/money",
	"shared/envelope": "shared/bug shared/fault shared/retail",
	"shared/topic":    "shared/envelope shared/retail",
	"shared/desired":  "shared/config shared/envelope shared/fault shared/profile shared/retail",
	"shared/enrol":    "shared/envelope shared/fault shared/retail",
	"shared/profile":  "shared/config shared/envelope shared/fault shared/guard shared/money shared/retail",
	"shared/decode":   "shared/envelope shared/fault shared/heartland/* shared/money shared/profile shared/retail",

	"shared/release":        "",
	"shared/release/delta":  "",
	"shared/release/client": "shared/fault shared/lock shared/release shared/release/delta",

	"shared/heartland/portico": "shared/fault shared/money shared/retail",
	"shared/heartland/gpapi":   "shared/fault shared/money shared/retail",

	"shared/heartland/hretail": "shared/envelope shared/fault shared/money shared/retail",
	"shared/heartland/upa":     "shared/fault shared/money shared/retail",

	"agent":                  "agent/app",
	"agent/app":              "agent/* shared/*",
	"agent/source":           "shared/envelope shared/retail",
	"agent/source/filedrop":  "agent/source agent/source/filedrop/xlsx shared/*",
	"agent/source/localapi":  "agent/source shared/*",
	"agent/source/retailapi": "agent/source shared/*",
	"agent/source/terminal":  "agent/source shared/*",
	"agent/source/possql":    "agent/source shared/*",
	"agent/source/portico":   "agent/source shared/*",
	"agent/source/gpapi":     "agent/source shared/*",
	"agent/capture":          "agent/source shared/*",

	"agent/source/filedrop/xlsx": "",

	"agent/forward":    "shared/*",
	"agent/buffer":     "agent/forward agent/keystore agent/source shared/*",
	"agent/uplink":     "agent/forward shared/*",
	"agent/keystore":   "shared/*",
	"agent/identity":   "agent/keystore shared/*",
	"agent/words":      "",
	"agent/statuspage": "agent/words shared/health",
	"agent/service":    "shared/*",
	"agent/desired":    "agent/keystore shared/*",

	"agent/update":        "",
	"agent/update/slots":  "agent/update shared/*",
	"agent/update/carry":  "agent/update agent/update/slots shared/*",
	"agent/update/launch": "agent/update agent/update/slots shared/*",

	"installer":          "installer/app",
	"installer/app":      "installer/* shared/*",
	"installer/plan":     "shared/fault",
	"installer/settings": "shared/retail",
	"installer/journal":  "shared/*",
	"installer/console":  "",
	"installer/find":     "shared/profile",
	"installer/machine":  "shared/*",
	"installer/payload":  "shared/*",
	"installer/program":  "shared/*",
	"packaging/make":     "",

	"hub":           "hub/app",
	"hub/app":       "hub/* shared/*",
	"hub/bank":      "shared/*",
	"hub/settle":    "shared/*",
	"hub/reconcile": "hub/cases hub/ledger hub/settle shared/*",
	"hub/notify":    "hub/cases hub/upkeep shared/*",
	"hub/upkeep":    "",
	"hub/cases":     "shared/*",
	"hub/ledger":    "shared/*",
	"hub/mapping":   "hub/ledger shared/*",
	"hub/plan":      "hub/ledger hub/mapping hub/rollup shared/*",
	"hub/ingest":    "hub/cases hub/ledger shared/*",
	"hub/rollup":    "hub/ledger hub/mapping shared/*",
	"hub/audit":     "hub/cases hub/ledger hub/rollup shared/*",
	"hub/poller":    "shared/*",
	"hub/lockdate":  "shared/retail",
	"hub/fleet":     "shared/fault shared/retail",
	"hub/webhook":   "shared/*",
	"hub/meaning":   "hub/ingest hub/ledger shared/*",
	"hub/roll":      "hub/audit hub/cases hub/ledger hub/mapping hub/lockdate hub/rollup hub/view shared/*",
	"hub/view":      "hub/cases hub/desired hub/ledger hub/mapping hub/lockdate hub/rollup shared/*",
	"hub/password":  "shared/*",
	"hub/broker":    "hub/authority shared/*",
	"hub/authority": "shared/desired shared/enrol shared/envelope shared/fault shared/retail",
	"hub/desired":   "shared/*",
	"hub/enrol":     "hub/authority shared/*",
	"hub/link":      "shared/*",
	"hub/service":   "shared/*",
	"hub/release":   "shared/*",
	"hub/odoo":      "hub/cases hub/ledger hub/mapping hub/lockdate hub/plan hub/rollup shared/*",
	"hub/web":       "hub/cases hub/desired hub/ledger hub/mapping hub/password hub/lockdate hub/rollup hub/upkeep hub/view shared/*",
	"hub/match":     "shared/money shared/retail",
	"hub/shadow":    "hub/rollup hub/view shared/*",
	"hub/store":     "hub/audit hub/authority hub/bank hub/cases hub/desired hub/fleet hub/ingest hub/ledger hub/mapping hub/match hub/notify hub/odoo hub/lockdate hub/poller hub/reconcile hub/roll hub/rollup hub/settle hub/view shared/*",
}

// pure packages decide: they touch no disk, no network, no database and no clock.
var pure = set("shared/release", "shared/release/delta", "shared/bug", "shared/desired", "hub/desired", "shared/meter", "shared/mode", "shared/heartland/hretail", "shared/heartland/upa", "shared/money", "shared/fault", "shared/retail", "shared/envelope", "shared/topic", "shared/health", "shared/guard",
	"shared/profile", "shared/decode", "agent/source", "agent/forward", "agent/update", "hub/cases", "hub/ledger", "hub/mapping", "hub/ingest", "hub/meaning",
	"hub/rollup", "hub/audit", "hub/view", "hub/bank", "hub/settle", "hub/reconcile", "shared/heartland/portico", "shared/heartland/gpapi", "hub/match", "hub/lockdate", "hub/poller", "hub/shadow", "hub/fleet", "hub/plan", "hub/upkeep", "installer/plan", "installer/settings")

// outside is what a pure package may not import.
var outside = set("database/sql", "net", "net/http", "os", "os/exec", "os/signal", "syscall", "io/ioutil")

// dice may be thrown where a wait is jittered, and nowhere else: an id or a secret comes from crypto/rand.
var dice = set("agent/forward", "agent/uplink", "hub/link", "hub/odoo", "hub/app", "agent/source/retailapi")

type pkg struct {
	ImportPath, Doc  string
	GoFiles, Imports []string
}

func TestImports(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		for _, p := range list(t, goos) {
			name := strings.TrimPrefix(p.ImportPath, module)
			if p.Doc == "" {
				t.Errorf("%s: no package comment", name)
			}
			if !strings.HasPrefix(name, "test/") {
				checkImports(t, name, goos, p.Imports)
			}
		}
	}
}

func checkImports(t *testing.T, name, goos string, imports []string) {
	allow, known := uses[name]
	if !known {
		t.Errorf("%s is not in the table of test/arch", name)
		return
	}
	for _, imp := range imports {
		dep, ours := strings.CutPrefix(imp, module)
		switch {
		case ours && !allowed(allow, dep):
			t.Errorf("%s (%s) must not import %s", name, goos, dep)
		case ours && crosses(name, dep):
			t.Errorf("%s (%s) must not import %s: agent, hub and installer meet in shared alone", name, goos, dep)
		case pure[name] && outside[imp]:
			t.Errorf("%s decides and must not import %s", name, imp)
		case imp == "math/rand" || imp == "math/rand/v2" && !dice[name]:
			t.Errorf("%s must not import %s: crypto/rand for ids, and jitter has its places", name, imp)
		case imp == "testing" || strings.HasPrefix(imp, "testing/"):
			t.Errorf("%s is product and must not import %s", name, imp)
		}
	}
}

// crosses holds whatever the table says.
func crosses(name, dep string) bool {
	from, to := top(name), top(dep)
	return to == "test" || from == "shared" && to != "shared" || from != to && to != "shared"
}

func top(name string) string { t, _, _ := strings.Cut(name, "/"); return t }

func allowed(list, dep string) bool {
	for a := range strings.FieldsSeq(list) {
		if ok, _ := path.Match(a, dep); ok {
			return true
		}
		if prefix, wild := strings.CutSuffix(a, "*"); wild && strings.HasPrefix(dep, prefix) {
			return true
		}
	}
	return false
}

func list(t *testing.T, goos string) (out []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,GoFiles,Doc,Imports", module+"...")
	cmd.Env = append(cmd.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(b))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 { // a folder of tests alone, or of files for another system
			out = append(out, p)
		}
	}
	if len(out) < 10 {
		t.Fatalf("go list found %d packages: the test looked in the wrong place", len(out))
	}
	return out
}

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}
