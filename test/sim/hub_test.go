package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/topic"
)

// hub is a hub's machine: a database on a disk and the intake in front of it.
type hub struct {
	w    *world
	name string
	id   envelope.HubID
	dir  string
	dice *rand.Rand // the disk's: only the committer throws them
	ill  bool       // its last commit failed; the committer's too
	life int

	store  *store.Store
	intake *ingest.Intake
	cancel context.CancelFunc

	mu     sync.Mutex
	out    []envelope.Head // words that wait for the line
	slow   bool            // commits wait for a permit
	permit chan struct{}
	quit   chan struct{}

	failures map[string]int // of the disk

	backup  string // the last one's file, "" = none
	high    map[laneName]uint64
	owed    map[string]bool // device/stream whose agent was told more than a restored hub holds
	backups int
}

type laneName struct {
	device retail.DeviceID
	stream envelope.Stream
	epoch  envelope.Epoch
}

func newHub(w *world, name string, id envelope.HubID) *hub {
	h := &hub{w: w, name: name, id: id, dir: filepath.Join(w.dir, name), dice: w.dice(name), high: map[laneName]uint64{}, owed: map[string]bool{}, failures: map[string]int{}}
	copyDir(template, h.dir)
	h.start()
	h.enrol()
	return h
}

// start opens the database and an intake over it.
func (h *hub) start() {
	s, err := store.Open(h.w.ctx, h.dir)
	if err != nil {
		panic("open hub: " + err.Error())
	}
	s.Now = func() time.Time { return h.w.now }
	h.store, h.permit, h.quit = s, make(chan struct{}), make(chan struct{})
	h.intake = ingest.New(h.id, disk{s, h}, s, h.w.truth.mean, h.w.log)
	ctx, cancel := context.WithCancel(h.w.ctx)
	h.cancel = cancel
	go h.intake.Run(ctx) //nolint:errcheck // it ends with its context
}

// stop ends the process; what was not committed is gone.
func (h *hub) stop() {
	if h.store == nil {
		return
	}
	close(h.quit)
	h.cancel()
	h.w.rest()
	h.store.Close()
	h.store = nil
	h.mu.Lock()
	h.out = nil
	h.mu.Unlock()
}

// disk is the store on a disk that may fail, before or after the commit, or be slow.
type disk struct {
	*store.Store
	h *hub
}

var errDisk = errors.New("the disk does not answer")

func (d disk) Commit(ctx context.Context, a []ingest.Advance) error {
	h := d.h
	h.mu.Lock()
	slow, quit := h.slow, h.quit
	h.mu.Unlock()
	select {
	case <-quit: // the process is gone: what it still tries reaches no disk and throws no dice
		return fault.New(fault.Unavailable, "commit", errDisk)
	default:
	}
	if slow {
		select {
		case <-h.permit:
		case <-quit:
			return fault.New(fault.Unavailable, "commit", errDisk)
		}
	}
	flaky, often := h.w.plan.flaky && !h.w.quiet, 6
	if h.ill { // a disk that failed once fails again
		often = 50
	}
	if h.ill = flaky && h.dice.IntN(100) < often; h.ill {
		h.count("commit failed")
		return fault.New(fault.Unavailable, "commit", errDisk)
	}
	if flaky && h.dice.IntN(100) < 2 {
		h.count("commit failed for good")
		return fault.New(fault.Internal, "commit", errDisk)
	}
	if err := d.Store.Commit(ctx, a); err != nil {
		return err
	}
	if flaky && h.dice.IntN(100) < 3 {
		h.count("commit done, nobody told")
		return fault.New(fault.Unavailable, "commit", errDisk) // it is committed, and nobody is told
	}
	return nil
}

// count is fault for the product's own goroutines.
func (h *hub) count(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures[what]++
}

// take is what the broker hands over.
func (h *hub) take(t string, payload []byte) {
	if h.store == nil {
		return
	}
	kind, d, s, ok := topic.Parse(t)
	if !ok {
		return
	}
	switch kind {
	case "up":
		h.intake.Batch(h.w.ctx, d, s, payload, h.reply)
	case "hello":
		var hello envelope.Hello
		if json.Unmarshal(payload, &hello) != nil {
			return
		}
		if hello.Device == d && hello.Stream == s { // else it was damaged on the way
			h.noteHello(hello)
		}
		h.intake.Hello(h.w.ctx, hello, h.reply)
	}
	h.w.rest()
	h.flush()
	if h.w.plan.parts && h == h.w.hub && len(payload) > 50_000 && !h.w.quiet && h.w.arrivals.IntN(4) == 0 {
		h.w.fault("hub crashed between parts")
		h.crash()
		h.w.hubIsBack(h.w.arrivals)
	}
}

// noteHello remembers whom a restored hub must open a case for.
func (h *hub) noteHello(o envelope.Hello) {
	h.w.rest()
	head, err := h.store.Head(h.w.ctx, o.Device, o.Stream, o.Epoch)
	if err == nil && o.Acked > head.Seq && h.w.faults["hub restored"] > 0 && !h.slow && o.Device.Valid() {
		h.owed[string(o.Device)+"/"+string(o.Stream)] = true
	}
}

// reply is called from the product's goroutines.
func (h *hub) reply(a envelope.Head) {
	h.mu.Lock()
	h.out = append(h.out, a)
	h.mu.Unlock()
}

// flush gives what the hub said to the line. Lanes that one commit sets free speak in whatever order the scheduler likes, so theirs is made
// fixed here; within a lane it stays.
func (h *hub) flush() {
	h.mu.Lock()
	out := h.out
	h.out = nil
	h.mu.Unlock()
	slices.SortStableFunc(out, func(a, b envelope.Head) int {
		return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.Stream, b.Stream))
	})
	for _, a := range out {
		h.w.down(h, a)
	}
}

// let lets one slow commit through.
func (h *hub) let() {
	select {
	case h.permit <- struct{}{}:
	default:
	}
	h.w.rest()
	h.flush()
}

func (h *hub) setSlow(on bool) {
	h.mu.Lock()
	h.slow = on
	h.mu.Unlock()
	for range 200 { // whoever waits goes through
		select {
		case h.permit <- struct{}{}:
			h.w.rest()
		default:
			h.flush()
			return
		}
	}
}

// crash ends the process in the middle of what it does; a new one starts on the same disk.
func (h *hub) crash() {
	h.noteHeads()
	next := h.nextDir()
	copyDir(h.dir, next) // as the disk stands at this instant, log and all
	h.stop()
	h.dir = next
	h.start()
}

func (h *hub) nextDir() string {
	h.life++
	return filepath.Join(h.w.dir, h.name+"-"+string(rune('a'+h.life%26))+time.Duration(h.life).String())
}

func (h *hub) backUp() {
	h.backups++
	h.backup = filepath.Join(h.w.dir, h.name+"-backup-"+time.Duration(h.backups).String())
	if _, err := h.store.Backup(h.w.ctx, h.backup); err != nil {
		h.w.breaks("back up: %v", err)
	}
}

// restore puts the hub back to its last backup.
func (h *hub) restore() {
	h.noteHeads()
	h.stop()
	next := h.nextDir()
	copyDir(h.dir, next)
	h.dir = next
	if _, err := store.Restore(h.w.ctx, h.backup, h.dir); err != nil {
		h.w.breaks("restore: %v", err)
	}
	h.start()
	h.w.books.adopt(h.w)
}

// committed is the most that this hub ever held of a lane, restored or not.
func (h *hub) committed(l laneName) uint64 {
	head, err := h.store.Head(h.w.ctx, l.device, l.stream, l.epoch)
	if err != nil {
		h.w.breaks("read head: %v", err)
	}
	h.high[l] = max(h.high[l], head.Seq)
	return h.high[l]
}

func (h *hub) noteHeads() {
	for _, p := range h.w.pcs {
		for _, s := range envelope.Streams {
			if p.buf != nil {
				h.committed(laneName{p.device, s, p.buf.State(s).Epoch})
			}
		}
	}
}

// calmDown: the disk is good again, and an operator releases what was stopped.
func (h *hub) calmDown() {
	h.setSlow(false)
	h.releaseStopped()
}
