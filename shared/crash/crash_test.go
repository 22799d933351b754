package crash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The test's own binary is the program that dies: each way of dying is an environment variable.
func TestMain(m *testing.M) {
	dir, how := os.Getenv("CRASH_DIR"), os.Getenv("CRASH_HOW")
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := Watch(dir, "v1.2.3", time.Now()); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	die(how, "ticket of Jane Doe, card 4111111111111111")
	os.Exit(0)
}

func die(how, customer string) {
	var none map[string]string
	switch how {
	case "panic":
		panic("cannot post " + customer)
	case "index":
		fmt.Println([]string{customer}[len(how)])
	case "map":
		none[customer] = customer
	case "error":
		panic(fmt.Errorf("read %s\ngoroutine 1 [%s]:\n", customer, customer))
	}
}

func crashed(t *testing.T, dir, how string) *Report {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "CRASH_DIR="+dir, "CRASH_HOW="+how)
	out, err := cmd.CombinedOutput()
	if (err != nil) != (how != "") {
		t.Fatalf("%s: %v %s", how, err, out)
	}
	rep, err := collect(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// Each way of dying leaves a report that says where, and nothing of what was worked on.
func TestAReportHoldsNoData(t *testing.T) {
	for how, want := range map[string]string{"panic": "panic (its words", "index": "panic: runtime error: index out of range", "map": "panic: assignment to entry in nil map", "error": "panic (its words"} {
		t.Run(how, func(t *testing.T) {
			rep := crashed(t, t.TempDir(), how)
			if rep == nil {
				t.Fatal("no report")
			}
			b, err := os.ReadFile(rep.File)
			if err != nil {
				t.Fatal(err)
			}
			text := string(b)
			for _, w := range []string{"v1.2.3 go", want, "shared/crash.die(…)", "crash_test.go:"} {
				if !strings.Contains(text, w) {
					t.Errorf("no %q in\n%s", w, text)
				}
			}
			for _, data := range []string{"Jane", "4111", "0x", os.TempDir() + "/go", "/root/", "/home/"} {
				if strings.Contains(text, data) {
					t.Errorf("%q is in\n%s", data, text)
				}
			}
			if !strings.Contains(rep.What, "in shared/crash.die") {
				t.Errorf("in a line: %q", rep.What)
			}
		})
	}
}

// A run that ends in order leaves none; the same crash is reported once; only the newest are kept.
func TestReportsAreKeptInOrder(t *testing.T) {
	dir := t.TempDir()
	if rep := crashed(t, dir, ""); rep != nil {
		t.Errorf("an end in order: %+v", rep)
	}
	for i := range keep + 2 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s20260101T00000%d.txt", prefix, i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if rep := crashed(t, dir, "panic"); rep == nil || Files(dir)[0] != rep.File || len(Files(dir)) != keep {
		t.Errorf("%+v of %v", rep, Files(dir))
	}
	if rep := crashed(t, dir, ""); rep != nil {
		t.Errorf("told again: %+v", rep)
	}
}
