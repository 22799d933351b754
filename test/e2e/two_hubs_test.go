package e2e_test

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/port"
)

// TestTwoHubsOnOneOdoo runs two hubs on one database, as built binaries: first another hub whose agents bring the same store's day, then a copy of the
// first one's folder. In both cases one posts and one is held, each opens a case that names the other, and Odoo holds the first one's takings, once.
func TestTwoHubsOnOneOdoo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds binaries and waits for two hubs to notice each other; left out of short runs")
	}
	t.Parallel()
	bin := build(t)
	one := newWorld(t, bin, 11, false)
	stop := one.sell(t)
	one.pause = time.Second
	<-time.After(2 * time.Second)
	stop()
	one.sound(t)

	other := newWorldOn(t, bin, 12, false, store, one.books)
	stop = other.sell(t)
	other.pause = time.Second
	told := one.hears(t, "two_hubs", "this one posts")
	if !strings.Contains(told, "wants to and is held") || strings.Contains(told, "own identity") {
		t.Errorf("the hub that posts was told: %s", told)
	}
	told = other.hears(t, "two_hubs", "this one is held")
	if !strings.Contains(told, one.at("hubdata")) {
		t.Errorf("the held hub was not told where the other one is: %s", told)
	}
	stop()
	one.sound(t)
	if why := other.open(t); !strings.Contains(why, "another Tillpost hub") {
		t.Errorf("the held hub's documents: %q", why)
	}

	// The first one ends: the other takes the claim and finds the day in the books before it posts it once more.
	one.quit(t)
	other.hears(t, "other_hub", "stands there for S1")
	one.sound(t)
	other.quit(t)

	// A copied folder is the same hub twice.
	dir := t.TempDir()
	if b, err := exec.Command("cp", "-r", one.at("hubdata"), dir).CombinedOutput(); err != nil {
		t.Fatalf("copy the hub's folder: %v %s", err, b)
	}
	conf, err := os.ReadFile(one.at("hub.toml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(one.at("hubdata"), filepath.Join(dir, "hubdata"), one.addrs["web"], port.Free(t), one.addrs["broker"], port.Free(t)).Replace(string(conf))
	copied := &world{dir: dir, programs: map[string]*proc{}, addrs: map[string]string{}}
	copied.proc(t, "hub", filepath.Join(bin, "hub"), "run", "--config", writeFile(t, filepath.Join(dir, "hub.toml"), "%s", text))
	t.Cleanup(func() { copied.close(t) })
	one.start(t, one.programs["hub"], "")
	waitFor(t, one.addrs["web"])
	one.claims(t, bin) // which its copy does not know of
	copied.start(t, copied.programs["hub"], "")
	if told := copied.hears(t, "two_hubs", "this one is held"); !strings.Contains(told, "own identity") {
		t.Errorf("the copy was told: %s", told)
	}
	one.hears(t, "two_hubs", "own identity")
	one.sheet(t)
	one.sound(t)

	// Who is to post is a person's word, and it is carried out while both run.
	command(t.Context(), t, filepath.Join(bin, "hub"), "odoo", "claim", "--take-over", "--reason", "the old machine goes", "--config", filepath.Join(dir, "hub.toml"))
	one.hears(t, "two_hubs", "this one is held")
	copied.hears(t, "two_hubs", "this one posts")
	said := command(t.Context(), t, filepath.Join(bin, "hub"), "odoo", "claim", "--config", filepath.Join(dir, "hub.toml"))
	if !strings.Contains(said, filepath.Join(dir, "hubdata")) {
		t.Errorf("hub odoo claim says %s", said)
	}
}

// claims waits until the books say that it is this hub that posts to them.
func (w *world) claims(t *testing.T, bin string) {
	t.Helper()
	for end := time.Now().Add(soon); ; <-time.After(300 * time.Millisecond) {
		said := command(t.Context(), t, filepath.Join(bin, "hub"), "odoo", "claim", "--config", w.at("hub.toml"))
		if held, _, _ := strings.Cut(said, "\n"); strings.Contains(held, w.at("hubdata")) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("this hub does not claim its books: %s", said)
		}
	}
}

// sound waits until everything is in the books, and counts it.
func (w *world) sound(t *testing.T) {
	t.Helper()
	if f := w.settled(t); f.lost+f.doubled != 0 || f.off != 0 {
		t.Fatalf("lost %d, doubled %d, cents off %d: %s", f.lost, f.doubled, f.off, strings.Join(f.words, "\n"))
	}
}

// hears waits for an open case of a cause whose detail has these words.
func (w *world) hears(t *testing.T, cause, words string) (detail string) {
	t.Helper()
	for end := time.Now().Add(soon); ; <-time.After(300 * time.Millisecond) {
		got, err := w.cases(cause)
		for _, d := range got {
			if strings.Contains(d, words) {
				return d
			}
		}
		if time.Now().After(end) {
			t.Fatalf("no open case %s with %q came in time; there is %q, %v", cause, words, got, err)
		}
	}
}

// cases lists the open ones of a cause, past the product's code.
func (w *world) cases(cause string) (out []string, err error) {
	db, err := w.db()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.Query(`SELECT body FROM kase WHERE cause = ? AND state = 'open'`, cause)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s sql.NullString
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s.String)
	}
	return out, rows.Err()
}

// quit ends the hub as a service manager does.
func (w *world) quit(t *testing.T) {
	t.Helper()
	p := w.programs["hub"]
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if p.end(soon) == running {
		t.Fatal("the hub does not end when it is told to")
	}
}
