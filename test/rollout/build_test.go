//go:build linux

// Package rollout_test brings whole releases to stores' PCs as IT does: a hub with its own authority, releases that a real ceremony signed, PCs
// that were enrolled and run by their launchers, tills that sell all the time; all of it built programs. See DESIGN.md.
package rollout_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

var builds struct {
	sync.Mutex
	dir string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if builds.dir != "" {
		os.RemoveAll(builds.dir)
	}
	os.Exit(code)
}

// heavy skips what takes minutes.
func heavy(t *testing.T) {
	t.Helper()
	if os.Getenv("TILLPOST_UPDATES") != "all" || testing.Short() {
		t.Skip("builds a hub and six agents, and rolls them out for minutes: TILLPOST_UPDATES=all runs it")
	}
}

const in = "-X github.com/tillpost/tillpost/"

// agent builds a version of the agent, with a planted bug or none, whose times of an update are divided by pace.
func agent(t *testing.T, version, planted, pace string) string {
	t.Helper()
	tags := ""
	if planted != "" {
		tags = "bug_" + planted
	}
	return build(t, "agent", version+planted+"-"+pace, tags, in+"shared/version.Version="+version+" "+in+"agent/update.pace="+pace+" "+in+"shared/bug.Hour=1000h")
}

// diskFree is what the folder of tests has room for.
func diskFree(t *testing.T) int64 {
	t.Helper()
	var st syscall.Statfs_t
	must(t, syscall.Statfs(os.TempDir(), &st))
	return int64(st.Bavail) * st.Bsize
}

// hub builds a hub that looks at its fleet every second.
func hub(t *testing.T) string {
	t.Helper()
	return build(t, "hub", "hub", "", in+"hub/app.fleetEvery=1s")
}

func build(t *testing.T, pkg, name, tags, flags string) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	if builds.dir == "" {
		dir, err := os.MkdirTemp("", "tillpost-rollout-")
		if err != nil {
			t.Fatal(err)
		}
		builds.dir = dir
	}
	path := filepath.Join(builds.dir, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	began := time.Now()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags", tags, "-ldflags", "-s -w "+flags, "-o", path, "github.com/tillpost/tillpost/"+pkg)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, b)
	}
	t.Logf("%.1f s: %s is built", time.Since(began).Seconds(), name)
	return path
}

// dist fills a folder as make package does, with one agent.
func dist(t *testing.T, dir, version, program string) {
	t.Helper()
	body, err := os.ReadFile(program)
	must(t, err)
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	must(t, err)
	w := tar.NewWriter(z)
	must(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "tillpost/agent", Size: int64(len(body)), Mode: 0o755}))
	_, err = w.Write(body)
	must(t, err)
	must(t, w.Close())
	must(t, z.Close())
	must(t, os.MkdirAll(dir, 0o755))
	name := "tillpost-" + version + "-linux-amd64.tar.gz"
	must(t, os.WriteFile(filepath.Join(dir, name), packed.Bytes(), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "SHA256SUMS"), fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(packed.Bytes()), name), 0o644))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
