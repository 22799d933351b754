// Command bench measures the line, each figure beside a raw limit of the same minutes (DESIGN §5). Every ratio is the median of five
// alternating runs; lost and doubled tickets are counted beside each figure. It asserts nothing: it prints one table in the end.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/app"
)

// measure does one piece of work in an empty folder, with its raw limit around it.
type measure struct {
	name string
	says string
	run  func(ctx context.Context, dir string, o options) (result, error)
}

type options struct {
	tickets int
	pace    time.Duration // between two tickets of the paced measures
	paced   int           // tickets whose way is timed
	profile *cpuProfile
}

var measures = []measure{
	{"capture", "a till hands in, the hub is away: durable at the agent before it is told so", capturing},
	{"import", "a file of tickets through a profile, durable at the agent", importing},
	{"drain", "buffered tickets until the hub has committed them, hub commit alone", drainAlone},
	{"drain-ledger", "the same with ledger", drainLedger},
	{"drain-books", "the same into the whole hub: ledger and store-day documents", drainBooks},
	{"latency", "50 tickets/s: from hand-in to the hub's durable commit", latencyAlone},
	{"latency-ledger", "the same with ledger", latencyLedger},
	{"memory", "the built agent, resident", memory},
	{"store-pc", "the built agent on a store's PC: a day's tickets, then two minutes at rest", storePC},
	{"posting", "store-days to Odoo (a fake one unless ODOO_URL is set): loaded, read back, posted, read back", posting},
}

func main() {
	var o options
	var only, cpu string
	var runs int
	flag.StringVar(&only, "only", "", "measure only these, separated by commas: "+names())
	flag.IntVar(&runs, "runs", 5, "runs of each, alternating")
	flag.IntVar(&o.tickets, "tickets", 100_000, "tickets to drain")
	flag.IntVar(&o.paced, "paced", 1000, "tickets at 50 a second")
	flag.StringVar(&cpu, "profile", "", "write a CPU profile of what is timed here")
	flag.Parse()
	o.pace, o.profile = 20*time.Millisecond, &cpuProfile{path: cpu}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if os.Getenv("GOGC") == "" {
		go app.KeepHeap(ctx) // as the hub does; here the agent shares its process
	}
	results := map[string][]result{}
	for i := range runs {
		for _, m := range measures {
			if only != "" && !slices.Contains(strings.Split(only, ","), m.name) {
				continue
			}
			r, err := once(ctx, m, o)
			if err != nil {
				fmt.Fprintf(os.Stderr, "%s: %v\n", m.name, err)
				os.Exit(1)
			}
			fmt.Printf("# run %d %-15s %5.1f s  %s\n", i+1, m.name, r.took.Seconds(), r)
			results[m.name] = append(results[m.name], r)
		}
	}
	report(os.Stdout, results)
}

func once(ctx context.Context, m measure, o options) (result, error) {
	dir, err := os.MkdirTemp("", "tillpost-bench-")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	begun := time.Now()
	r, err := m.run(ctx, dir, o)
	r.took = time.Since(begun)
	return r, err
}

func names() string {
	var out []string
	for _, m := range measures {
		out = append(out, m.name)
	}
	return strings.Join(out, " ")
}

// cpuProfile is taken of the timed parts alone: making tickets costs more than some of the work. The last run's profile stays.
type cpuProfile struct {
	path string
	file *os.File
}

func (p *cpuProfile) begin() error {
	if p.path == "" {
		return nil
	}
	var err error
	if p.file, err = os.Create(p.path); err != nil {
		return err
	}
	return pprof.StartCPUProfile(p.file)
}

func (p *cpuProfile) end() {
	if p.file != nil {
		pprof.StopCPUProfile()
		p.file.Close()
		p.file = nil
	}
}
