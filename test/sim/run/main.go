// Command run plays many worlds of test/sim, spread over the processors, and prints what happened in them. With -bugs it plants each bug of
// shared/bug in a build of its own and plays worlds until one breaks: a table tells at which seed each was noticed, and by what.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/bug"
)

func main() {
	seeds := flag.Uint64("seeds", 200, "how many worlds; for -bugs, how many at most per bug")
	first := flag.Uint64("first", 0, "seed of the first world")
	bugs := flag.Bool("bugs", false, "plant each bug and play until it is noticed")
	only := flag.String("only", "", "with -bugs: these bugs alone, separated by commas")
	flag.Parse()
	if err := run(*seeds, *first, *bugs, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(seeds, first uint64, bugs bool, only string) error {
	dir, err := os.MkdirTemp("", "tillpost-sim-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if bugs {
		return plant(dir, seeds, first, only)
	}
	return worlds(dir, seeds, first)
}

// build makes the test binary, with a bug or without.
func build(dir, name string) (string, error) {
	out := filepath.Join(dir, "sim-"+name)
	args := []string{"test", "-c", "-o", out}
	if name != "none" {
		args = append(args, "-tags", "bug_"+name)
	}
	cmd := exec.Command("go", append(args, "github.com/tillpost/tillpost/test/sim")...)
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, b)
	}
	return out, nil
}

// play runs a part of the worlds in a process.
func play(binary string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Hour)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append([]string{"-test.run", "TestWorlds", "-test.timeout", "2h", "-tell"}, args...)...)
	return cmd.CombinedOutput()
}

var line = regexp.MustCompile(`(?m)^  (\S.*?)\s+(\d+)$`)

// worlds plays all seeds, one process for each processor.
func worlds(dir string, seeds, first uint64) error {
	binary, err := build(dir, "none")
	if err != nil {
		return err
	}
	shards := min(uint64(runtime.NumCPU()), max(seeds, 1))
	begun := time.Now()
	var mu sync.Mutex
	var wg sync.WaitGroup
	sums, failed := map[string]int{}, []string{}
	for i := range shards {
		from, to := first+i*seeds/shards, first+(i+1)*seeds/shards
		wg.Go(func() {
			out, err := play(binary, "-first", strconv.FormatUint(from, 10), "-seeds", strconv.FormatUint(to-from, 10))
			mu.Lock()
			defer mu.Unlock()
			for _, m := range line.FindAllSubmatch(out, -1) {
				n, _ := strconv.Atoi(string(m[2]))
				sums[string(m[1])] += n
			}
			if err != nil {
				failed = append(failed, string(out))
			}
		})
	}
	wg.Wait()
	took := time.Since(begun)
	fmt.Printf("%d worlds in %v on %d processors: %.1f a second\n", seeds, took.Round(time.Second), shards, float64(seeds)/took.Seconds())
	for _, k := range slices.Sorted(maps.Keys(sums)) {
		fmt.Printf("  %-26s %d\n", k, sums[k])
	}
	if missing := never(sums); seeds >= enough && len(failed) == 0 && len(missing) > 0 {
		return fmt.Errorf("never happened in %d worlds, so nothing is proven of it: %s", seeds, strings.Join(missing, ", "))
	}
	if len(failed) > 0 {
		for _, f := range failed {
			fmt.Println(tail(f))
		}
		return errors.New("worlds broke: run one again with  cd test/sim && go test -run TestWorlds -first SEED -seeds 1 -trace")
	}
	fmt.Println("nothing lost, nothing doubled, every cent in its place")
	return nil
}

// enough worlds for even the rarest event to happen.
const enough = 200

// never lists what the worlds say should happen somewhere and did not.
func never(sums map[string]int) (out []string) {
	for _, k := range slices.Sorted(maps.Keys(sums)) {
		if sums[k] == 0 {
			out = append(out, k)
		}
	}
	return out
}

func tail(s string) string {
	const most = 12000
	if len(s) > most {
		return "…" + s[len(s)-most:]
	}
	return s
}

// result of one bug.
type result struct {
	name, seed, what string
	took             time.Duration
}

var caught = regexp.MustCompile(`seed (\d+) at (.*)`)

// plant tries each bug, a few at a time.
func plant(dir string, seeds, first uint64, only string) error {
	names := bug.Names
	if only != "" {
		names = strings.Split(only, ",")
	}
	results := make([]result, len(names))
	var wg sync.WaitGroup
	turn := make(chan struct{}, runtime.NumCPU())
	for i, name := range names {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			results[i] = try(dir, name, seeds, first)
			fmt.Printf("%-22s %s\n", name, results[i].seed)
		})
	}
	wg.Wait()
	missed := 0
	fmt.Printf("\n%-22s %-10s %-8s %s\n", "planted bug", "seed", "took", "noticed by")
	for _, r := range results {
		if r.seed == "" {
			missed++
			r.seed = "MISSED"
		}
		fmt.Printf("%-22s %-10s %-8v %.120s\n", r.name, r.seed, r.took.Round(time.Second), r.what)
	}
	fmt.Printf("%d of %d planted bugs were noticed\n", len(results)-missed, len(results))
	if missed > 0 {
		return fmt.Errorf("%d planted bugs were not noticed in %d worlds", missed, seeds)
	}
	return nil
}

func try(dir, name string, seeds, first uint64) result {
	begun := time.Now()
	r := result{name: name}
	binary, err := build(dir, name)
	if err != nil {
		r.seed, r.what = "", err.Error()
		return r
	}
	defer os.Remove(binary)
	out, err := play(binary, "-until", "-first", strconv.FormatUint(first, 10), "-seeds", strconv.FormatUint(seeds, 10))
	r.took = time.Since(begun)
	if m := caught.FindSubmatch(out); m != nil {
		r.seed, r.what = string(m[1]), string(m[2])
	} else if err != nil {
		r.what = "no invariant broke, the run did: " + string(bytes.SplitN(out, []byte("\n"), 2)[0]) // that proves nothing
	}
	return r
}
