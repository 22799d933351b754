package sim

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/tillpost/tillpost/hub/store"
)

var (
	seeds = flag.Uint64("seeds", 60, "how many worlds to run")
	first = flag.Uint64("first", 0, "seed of the first world")
	trace = flag.Bool("trace", false, "tell everything that happens")
	tell  = flag.Bool("tell", false, "print what happened in all worlds")
	until = flag.Bool("until", false, "stop at the first world that breaks (a planted bug is caught)")
)

// template is the folder of an empty hub.
var template string

func TestMain(m *testing.M) {
	flag.Parse()
	debug.SetGCPercent(400) // worlds are short and leave much behind
	runtime.GOMAXPROCS(1)   // what two goroutines do at the same instant has one order, and a seed replays its world
	os.Exit(start(m))
}

func start(m *testing.M) int {
	dir, err := os.MkdirTemp(memory(), "tillpost-sim-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	template = filepath.Join(dir, "template")
	if err := os.Mkdir(template, 0o700); err != nil {
		panic(err)
	}
	s, err := store.Open(context.Background(), template)
	if err != nil {
		panic(err)
	}
	if err := s.SetRules(context.Background(), rules(), "test", "the world's chart"); err != nil {
		panic(err)
	}
	s.Close()
	return m.Run()
}

// memory is a file system without a disk where there is one: what a power cut leaves is simulated, not waited for.
func memory() string {
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}

// TestWorlds runs worlds. A failure prints its seed; -first seed -seeds 1 -trace tells its story.
func TestWorlds(t *testing.T) {
	begun := time.Now()
	faults, marks, n := map[string]int{}, map[string]int{}, uint64(0)
	for seed := *first; seed < *first+*seeds; seed++ {
		n++
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, seed)
			dir, err := os.MkdirTemp(filepath.Dir(template), "world-")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			synctest.Test(t, func(t *testing.T) {
				w := run(t, seed, dir, *trace)
				for k, v := range w.faults {
					faults[k] += v
				}
				for k, v := range w.marks {
					marks[k] += v
				}
				for _, b := range w.bad {
					t.Errorf("seed %d at %s", seed, b)
				}
			})
		})
		if *until && t.Failed() {
			break
		}
	}
	counts := maps.Clone(faults)
	maps.Copy(counts, marks)
	if !*until { // a run that looks for a planted bug stops at it
		covered(t, n, counts)
	}
	if *tell {
		took := time.Since(begun)
		fmt.Printf("%d worlds in %v: %.1f a second\n", n, took.Round(time.Millisecond), float64(n)/took.Seconds())
		for _, k := range append(must, rare...) { // what never happened is told as 0
			counts[k] += 0
		}
		for _, k := range slices.Sorted(maps.Keys(counts)) {
			fmt.Printf("  %-26s %d\n", k, counts[k])
		}
	}
}
