// Command make builds everything that is released, on Linux: programs for three systems, one installer file per platform, packages, the MSI,
// a folder for containers, the list of what is in them, checksums and signatures. What cannot be built here is left out and said so. The same
// commit gives the same bytes wherever it is built.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r := release{}
	only := ""
	flag.StringVar(&r.version, "version", "dev", "the version, such as v1.2.3")
	flag.StringVar(&r.out, "out", "dist", "the folder that is filled")
	flag.StringVar(&only, "only", "", "targets, such as linux/amd64,windows/amd64; empty: all")
	flag.BoolVar(&r.strict, "strict", false, "fail when something cannot be built or signed here: for a release")
	flag.Parse()
	if err := r.run(ctx, only); err != nil {
		log.Fatal("package: ", err)
	}
}

// release is one run.
type release struct {
	version string
	out     string // absolute after prepare
	work    string // what is built on the way
	epoch   time.Time
	strict  bool
	skipped []string
	known   map[string]string // licences by module, of what is built now
	keys    keys
}

func (r *release) run(ctx context.Context, only string) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	for _, t := range targets {
		if only != "" && !strings.Contains(","+only+",", ","+t.String()+",") {
			continue
		}
		if _, err := exec.LookPath(t.cc); err != nil {
			r.skip(t.String(), t.cc+" is not installed (apt-get install "+t.packages+")")
			continue
		}
		log.Printf("== %s", t)
		if err := r.target(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
	}
	if err := r.container(); err != nil {
		return err
	}
	if err := r.sums(ctx); err != nil {
		return err
	}
	for _, s := range r.skipped {
		log.Print("SKIPPED ", s)
	}
	if r.strict && len(r.skipped) > 0 {
		return fmt.Errorf("%d parts are missing", len(r.skipped))
	}
	return nil
}

func (r *release) skip(what, why string) { r.skipped = append(r.skipped, what+": "+why) }

// prepare empties the folder and fixes the time: that of the commit, unless SOURCE_DATE_EPOCH says another.
func (r *release) prepare(ctx context.Context) (err error) {
	if r.out, err = filepath.Abs(r.out); err != nil {
		return err
	}
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	if r.work, err = os.MkdirTemp("", "tillpost-package-"); err != nil {
		return err
	}
	said := os.Getenv("SOURCE_DATE_EPOCH")
	if said == "" {
		b, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%ct").Output()
		if err != nil {
			return fmt.Errorf("the commit's time: %w (set SOURCE_DATE_EPOCH outside of a clone)", err)
		}
		said = strings.TrimSpace(string(b))
	}
	sec, err := strconv.ParseInt(said, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	r.epoch = time.Unix(sec, 0).UTC()
	r.keys = keysFrom(os.Getenv)
	if !r.keys.authenticode() {
		r.skip("Authenticode", "TILLPOST_SIGN_CERT and TILLPOST_SIGN_KEY name no key: the programs for Windows are not signed")
	} else if _, err := exec.LookPath("osslsigncode"); err != nil {
		return fmt.Errorf("a key is given and osslsigncode is not installed (apt-get install osslsigncode)")
	}
	if r.keys.minisign == "" {
		r.skip("minisign", "TILLPOST_MINISIGN_KEY names no key: SHA256SUMS is not signed")
	} else if _, err := exec.LookPath("minisign"); err != nil {
		return fmt.Errorf("a key is given and minisign is not installed (apt-get install minisign)")
	}
	return nil
}

// do runs a program and shows what it said when it fails.
func (r *release) do(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), append(env, "SOURCE_DATE_EPOCH="+strconv.FormatInt(r.epoch.Unix(), 10), "TZ=UTC")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, out)
	}
	return nil
}

// dated gives a file the release's time: packages carry it.
func (r *release) dated(paths ...string) error {
	for _, p := range paths {
		if err := os.Chtimes(p, r.epoch, r.epoch); err != nil {
			return err
		}
	}
	return nil
}
