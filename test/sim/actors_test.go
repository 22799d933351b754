package sim

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/retail"
)

// actors plans the misfortunes of a world.
func (w *world) actors() {
	w.often("crash", w.plan.crash, 4, func(r *rand.Rand) { w.anyPC(r).crash() })
	w.often("clone", w.plan.clone, 1, w.clone)
	w.often("wipe", w.plan.wipe, 1, func(r *rand.Rand) { w.anyPC(r).wipe() })
	w.often("salvage", w.plan.salvage, 2, func(r *rand.Rand) { w.anyPC(r).spoilDisk(r) })
	w.often("old pc", w.plan.oldPC, 1, w.oldDisk)
	w.often("hub crash", w.plan.hubCrash, 3, func(r *rand.Rand) { w.fault("hub crashed"); w.hub.crash(); w.hubIsBack(r) })
	w.often("hub restore", w.plan.hubRestore, 1, w.hubRestored)
	w.often("slow", w.plan.slow, 2, w.slowHub)
	w.often("outage", w.plan.outage, 4, w.outage)
	w.often("mangle", w.plan.mangle, 2, w.mangle)
	w.often("erase", w.plan.erase, 2, w.eraseCustomer)
	w.often("day", true, 6, func(*rand.Rand) { w.books.step(w) })
}

// often plans up to most occurrences of an actor.
func (w *world) often(name string, on bool, most int, do func(*rand.Rand)) {
	if !on {
		return
	}
	r := w.dice(name)
	for range 1 + r.IntN(most) {
		at := hostile/20 + time.Duration(r.Int64N(int64(hostile*17/20)))
		w.at(w.began.Add(at), func() { do(r) })
	}
}

func (w *world) anyPC(r *rand.Rand) *pc { return w.pcs[r.IntN(len(w.pcs))] }

// restart starts the agent again after a while.
func (p *pc) restart() {
	p.boot()
	if p.buf == nil {
		return
	}
	p.connectIn(time.Duration(100+p.dice.IntN(5000)) * time.Millisecond)
	p.pollIn()
}

func (p *pc) nextDisk() string {
	p.disks++
	return filepath.Join(p.w.dir, fmt.Sprintf("%s-disk%d", p.name, p.disks))
}

// crash is a power cut: the disk stays as it is at this instant, with SQLite's log.
func (p *pc) crash() {
	p.w.fault("pc crashed")
	disk := p.nextDisk()
	copyDir(p.dir, disk)
	p.stop()
	p.dir = disk
	p.restart()
}

// wipe is a new PC under the old name: an empty disk, and the tills' journals are read from the beginning.
func (p *pc) wipe() {
	p.w.fault("pc replaced")
	p.stop()
	p.dir = p.nextDisk()
	p.restart()
}

// spoilDisk destroys part of the buffer's file.
func (p *pc) spoilDisk(r *rand.Rand) {
	p.w.fault("disk spoiled")
	disk := p.nextDisk()
	copyDir(p.dir, disk) // with the log, as after a power cut
	p.stop()
	if r.IntN(2) == 0 {
		os.RemoveAll(disk)
		copyDir(p.dir, disk) // the log is folded in
	}
	p.dir = disk
	file := filepath.Join(disk, "buffer.db")
	if r.IntN(3) == 0 {
		if st, err := os.Stat(file + "-wal"); err == nil && st.Size() > 0 {
			file += "-wal"
		}
	}
	spoil(r, file)
	p.restart()
}

func spoil(r *rand.Rand, file string) {
	b, err := os.ReadFile(file)
	if err != nil || len(b) == 0 {
		return
	}
	switch at := r.IntN(len(b)); r.IntN(5) {
	case 0:
		b = b[:at]
	case 1: // one bit
		b[at] ^= 1 << r.IntN(8)
	case 2: // the head
		for i := range min(200, len(b)) {
			b[i] = byte(r.IntN(256))
		}
	default: // pages
		for i := at / 4096 * 4096; i < min(len(b), (at/4096+1+r.IntN(3))*4096); i++ {
			b[i] = byte(r.IntN(256))
		}
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		panic(err)
	}
}

// clone copies a PC's disk to another one: two machines run as one device, and the copy sells in a place of its own.
func (w *world) clone(r *rand.Rand) {
	w.fault("pc cloned")
	i := r.IntN(w.plan.devices)
	of := w.pcs[i]
	c := &pc{w: w, name: of.name + "c", device: of.device, dice: w.dice(of.name + "c")}
	c.dir = c.nextDisk()
	copyDir(of.dir, c.dir)
	j := w.truth.clones[i]
	j.begin = w.now.Add(-hostile / 5)
	w.truth.count(j)
	c.sources = []*journal{j}
	if r.IntN(2) == 0 {
		c.sources = append(c.sources, of.sources...)
	}
	w.pcs = append(w.pcs, c)
	c.restart()
}

// oldDisk puts a PC back to an image of its disk that was made a while before.
func (w *world) oldDisk(r *rand.Rand) {
	p := w.anyPC(r)
	image := p.nextDisk()
	copyDir(p.dir, image)
	w.after(time.Duration(r.Int64N(int64(hostile/4))), func() {
		if w.quiet {
			return
		}
		w.fault("pc put back")
		p.stop()
		p.dir = image
		p.restart()
	})
}

// mangle breaks a PC's router for a while: the hub sees damage again and again, and stops the stream until a person has looked.
func (w *world) mangle(r *rand.Rand) {
	w.fault("router broken")
	w.anyPC(r).mangled = w.now.Add(time.Duration(10+r.IntN(50)) * time.Second)
}

// eraseCustomer forgets a customer whose tickets are told; chain, tickets and sums must not notice.
func (w *world) eraseCustomer(r *rand.Rand) {
	j := w.truth.active[r.IntN(len(w.truth.active))]
	for _, i := range r.Perm(len(j.items)) {
		_, name, ok := strings.Cut(string(j.items[i].Body), `"customer":"`)
		name, _, _ = strings.Cut(name, `"`)
		if !ok {
			continue
		}
		if _, err := w.hub.store.Erase(w.ctx, "", retail.DefaultSystem, name, "test", "asked for it"); err == nil {
			w.fault("customer erased")
			return
		}
	}
}

func (w *world) hubRestored(r *rand.Rand) {
	w.hub.backUp()
	w.after(time.Duration(r.Int64N(int64(hostile/3))), func() {
		if w.quiet {
			return
		}
		w.fault("hub restored")
		w.hub.restore()
		w.hubIsBack(r)
	})
}

// hubIsBack: the hub's retained state tells the agents, if it arrives; else their own timers do.
func (w *world) hubIsBack(r *rand.Rand) {
	for _, p := range w.pcs {
		if r.IntN(3) > 0 && p.online && p.buf != nil {
			p.connectIn(time.Duration(r.IntN(2000)) * time.Millisecond)
		}
	}
}

// slowHub lets commits wait.
func (w *world) slowHub(r *rand.Rand) {
	w.fault("hub slow")
	h := w.hub
	h.setSlow(true)
	end := w.now.Add(time.Duration(5+r.IntN(40)) * time.Second)
	var tick func()
	tick = func() {
		if h.store == nil || w.quiet {
			return
		}
		if w.now.After(end) {
			h.setSlow(false)
			return
		}
		h.let()
		w.after(time.Duration(50+r.IntN(2500))*time.Millisecond, tick)
	}
	tick()
}

// outage takes one PC off the line, or all of them: the broker is gone.
func (w *world) outage(r *rand.Rand) {
	gone := []*pc{w.anyPC(r)}
	if r.IntN(3) == 0 {
		w.fault("broker gone")
		gone = w.pcs
	} else {
		w.fault("line gone")
	}
	for _, p := range gone {
		if p.buf == nil || !p.online {
			continue
		}
		p.disconnect()
		p.connectIn(time.Duration(500+r.IntN(40_000)) * time.Millisecond)
	}
}

// enrol registers the devices and what they may speak for.
func (h *hub) enrol() {
	err := h.store.InTx(h.w.ctx, func(tx *store.Tx) error {
		for i := range h.w.plan.devices {
			d := deviceID(i)
			if err := tx.AddDevice(h.w.ctx, d, "x", "test"); err != nil {
				return err
			}
			for _, j := range append([]*journal{h.w.truth.clones[i]}, h.w.truth.journals[i]...) {
				if err := h.register(tx, j); err != nil {
					return err
				}
				for _, l := range []retail.LocationCode{j.location, j.location + "x"} {
					if err := tx.Assign(h.w.ctx, d, l, h.w.began.AddDate(0, -1, 0), "test"); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err == nil && !h.w.plan.unknown {
		err = h.store.SetRules(h.w.ctx, []mapping.Rule{discounts}, "test", "known")
	}
	if err != nil {
		panic("enrol: " + err.Error())
	}
}

// register is head office's part: the location with its zone and cutoff, and its tills.
func (h *hub) register(tx *store.Tx, j *journal) error {
	g := h.w.truth.trading[j.location]
	l := store.Location{Code: j.location, Name: string(j.location), Currency: "USD", Zone: g.Zone.String(), Cutoff: fmt.Sprintf("%02d:00", g.Cutoff.Hour)}
	if err := tx.SetLocation(h.w.ctx, l, "2026-01-01", "test"); err != nil {
		return err
	}
	for _, t := range []retail.TillCode{"T1", "T2", "T3"} {
		if err := tx.ConfirmTill(h.w.ctx, j.location, t, "test"); err != nil {
			return err
		}
	}
	return nil
}

// releaseStopped is the operator's part: a stream that arrived damaged thrice waits for a person.
func (h *hub) releaseStopped() {
	err := h.store.InTx(h.w.ctx, func(tx *store.Tx) error {
		for i := range h.w.plan.devices {
			if err := tx.Release(h.w.ctx, deviceID(i), "test", "the line was mended"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.w.breaks("release: %v", err)
	}
}

// copyDir copies the files of a folder as they stand.
func copyDir(from, to string) {
	if err := os.MkdirAll(to, 0o700); err != nil {
		panic(err)
	}
	files, err := os.ReadDir(from)
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		if f.IsDir() || f.Name() == "reserve" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), b, 0o600)
		}
		if err != nil {
			panic(err)
		}
	}
}
