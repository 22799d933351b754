// Command bench measures the line, each figure beside a raw limit of the same minutes (DESIGN §5). Every ratio is the median of five
// alternating runs; lost and doubled tickets are counted beside each. It asserts nothing: it prints.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

// measure is one figure: run does the work once in an empty folder and its raw limit just before it.
type measure struct {
	name string
	says string
	run  func(ctx context.Context, dir string, o options) (result, error)
}

type options struct {
	tickets int
	profile string
}

// result of one run.
type result struct {
	figures []figure
	lost    int
	doubled int
}

type figure struct {
	name   string
	value  float64
	unit   string
	wanted string
}

var measures = []measure{
	{"drain", "100,000 buffered tickets until the hub has committed them, hub commit alone", drainAlone},
	{"drain-ledger", "the same with ledger", drainLedger},
	{"drain-books", "the same into the whole hub: ledger and store-day documents", drainBooks},
	{"latency", "50 tickets/s: from hand-in to the hub's durable commit", latencyAlone},
	{"latency-ledger", "the same with ledger", latencyLedger},
}

func main() {
	only := flag.String("only", "", "measure only these, separated by commas")
	runs := flag.Int("runs", 5, "runs of each, alternating")
	o := options{}
	flag.IntVar(&o.tickets, "tickets", 100_000, "tickets to drain")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of everything here")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if o.profile != "" {
		f, err := os.Create(o.profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "cannot profile:", err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // as the hub does; here the agent shares its process
	}
	results := map[string][]result{}
	for i := range *runs {
		for _, m := range measures {
			if *only != "" && !slices.Contains(strings.Split(*only, ","), m.name) {
				continue
			}
			dir, err := os.MkdirTemp("", "tillpost-bench-")
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
			begun := time.Now()
			r, err := m.run(ctx, dir, o)
			os.RemoveAll(dir)
			if err != nil {
				fmt.Fprintf(os.Stderr, "%s: %v\n", m.name, err)
				return
			}
			fmt.Printf("# run %d %-16s %5.1f s  %s\n", i+1, m.name, time.Since(begun).Seconds(), told(r))
			results[m.name] = append(results[m.name], r)
		}
	}
	report(results)
}

func told(r result) string {
	var parts []string
	for _, f := range r.figures {
		parts = append(parts, f.name+" "+number(f.value)+f.unit)
	}
	return strings.Join(parts, ", ")
}

func number(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// report prints medians with their range.
func report(results map[string][]result) {
	for _, m := range measures {
		rs := results[m.name]
		if len(rs) == 0 {
			continue
		}
		lost, doubled := 0, 0
		for _, r := range rs {
			lost, doubled = lost+r.lost, doubled+r.doubled
		}
		fmt.Printf("\n%s: %s\n  lost %d, doubled %d in %d runs\n", m.name, m.says, lost, doubled, len(rs))
		for i, f := range rs[0].figures {
			var all []float64
			for _, r := range rs {
				all = append(all, r.figures[i].value)
			}
			slices.Sort(all)
			wanted := ""
			if f.wanted != "" {
				wanted = "   wanted " + f.wanted
			}
			fmt.Printf("  %-34s %9s%s (%s–%s)%s\n", f.name, number(all[len(all)/2]), f.unit, number(all[0]), number(all[len(all)-1]), wanted)
		}
	}
}
