package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/capture"
	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/retail"
)

// pc is a machine in a store with an agent on it.
type pc struct {
	w       *world
	name    string
	device  retail.DeviceID
	dir     string
	dice    *rand.Rand
	sources []*journal
	life    int // one more with each start of the agent: events of an earlier life do nothing
	disks   int

	buf    *buffer.Buffer
	fw     []*forward.Forwarder
	online bool
	told   bool   // it has greeted since the faults are over
	wake   uint64 // one more with each planned step: only the last one counts

	mangled time.Time // until then its router spoils what passes

	lastUp, lastDown time.Time
	heads            map[string]uint64 // acked per stream and epoch, as last looked at
}

func deviceID(i int) retail.DeviceID { return retail.DeviceID("store-" + strconv.Itoa(i)) }

// boot starts the agent on what is on the disk.
func (p *pc) boot() {
	w := p.w
	p.life++
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		panic(err)
	}
	reserve(p.dir)
	buf, err := buffer.Open(w.ctx, buffer.Options{Dir: p.dir, Device: p.device, Clean: clean, Now: func() time.Time { return w.now }})
	if err != nil {
		w.breaks("%s does not start: %v", p.name, err)
		return
	}
	p.buf = buf
	if h, _ := buf.Hub(w.ctx); h == "" {
		_ = buf.SetHub(w.ctx, w.hub.id) // as agent.toml says; what was damaged on the way must not choose the hub
	}
	if s := buf.Salvage; s != nil {
		w.fault("buffer salvaged")
		w.trace("%s: %s", p.name, s.Text())
		p.noteSalvage()
	}
	p.fw = nil
	for i, s := range envelope.Streams {
		p.fw = append(p.fw, forward.New(forward.Options{Device: p.device, Stream: s, Codec: w.codec, Rand: rand.New(rand.NewPCG(w.seed, uint64(p.life*10+i)))}, buf, buf))
	}
	p.heads = map[string]uint64{}
}

// noteSalvage remembers the epochs that must begin by naming the old one.
func (p *pc) noteSalvage() {
	for _, s := range envelope.Streams {
		if st := p.buf.State(s); st.Last > 0 {
			p.w.truth.announced = append(p.w.truth.announced, laneName{p.device, s, st.Epoch})
		}
	}
}

func (p *pc) stop() {
	p.life++
	p.online = false
	if p.buf != nil {
		p.buf.Close()
		p.buf = nil
	}
}

// later runs f unless the agent was stopped or started in between.
func (p *pc) later(d time.Duration, f func()) {
	life := p.life
	p.w.after(d, func() {
		if p.life == life && p.buf != nil {
			f()
		}
	})
}

func (p *pc) connectIn(d time.Duration) {
	p.later(d, func() {
		p.online = true
		for _, f := range p.fw {
			f.Connected(p.w.now)
		}
		p.pump()
	})
}

func (p *pc) disconnect() {
	p.online = false
	for _, f := range p.fw {
		f.Disconnected()
	}
}

// pollIn reads the sources after a while, and again and again.
func (p *pc) pollIn() {
	p.later(time.Duration(50+p.dice.IntN(4000))*time.Millisecond, func() {
		for _, j := range p.sources {
			p.poll(j)
		}
		p.pump()
		p.pollIn()
	})
}

// poll lets the capture stage read what a till has told since the cursor: rows and cursor in one transaction.
func (p *pc) poll(j *journal) {
	w := p.w
	pump := capture.Pump{Source: reader{p, j}, Sink: p.buf, Log: w.log}
	if n, _, err := pump.Step(w.ctx); err != nil {
		w.breaks("%s: append: %v", p.name, err)
	} else if n > 0 {
		w.trace("%s appends %d of %s", p.name, n, j.name)
	}
	if w.plan.trim && p.dice.IntN(10) == 0 {
		n, err := p.buf.Trim(w.ctx, -time.Hour)
		if err != nil {
			w.breaks("%s: trim: %v", p.name, err)
		}
		w.marks["rows trimmed"] += n
	}
}

// reader is a till's journal as a source of this PC.
type reader struct {
	p *pc
	j *journal
}

func (r reader) Name() string { return r.j.name }

func (r reader) Read(_ context.Context, after source.Cursor, most int) (out []source.Draft, _ source.Cursor, _ error) {
	from, _ := strconv.Atoi(string(after))
	to := min(from+min(most, 1+r.p.dice.IntN(12)), r.j.told(r.p.w.now, r.p.w.quiet))
	if from >= to {
		return nil, after, nil
	}
	for _, it := range r.j.items[from:to] {
		out = append(out, it.Draft)
	}
	return out, source.Cursor(strconv.Itoa(to)), nil
}

// pump lets the forwarders do all that is due now, and plans the next look.
func (p *pc) pump() {
	w, next := p.w, time.Hour
	for steps := 0; p.buf != nil; steps++ {
		if steps > 5000 {
			w.breaks("%s sends without end", p.name)
			return
		}
		m, idle := p.step()
		if m == nil {
			next = idle
			break
		}
		w.trace("%s sends %s last %d, %d bytes", p.name, m.Topic, m.Last, len(m.Payload))
		w.up(p, m)
	}
	p.look()
	p.wake++
	wake := p.wake
	p.later(max(next, time.Millisecond), func() {
		if p.wake == wake {
			p.pump()
		}
	})
}

// step takes the first message of any stream, or how long all are idle.
func (p *pc) step() (*forward.Message, time.Duration) {
	idle := time.Hour
	for i, f := range p.fw {
		m, wait, err := f.Step(p.w.ctx, p.w.now)
		if err != nil {
			p.w.faults["buffer unreadable"]++
			p.w.trace("%s/%s cannot read its buffer: %v", p.name, envelope.Streams[i], err)
			idle = min(idle, 5*time.Second)
			continue
		}
		if m != nil {
			return m, 0
		}
		idle = min(idle, wait)
	}
	return nil, idle
}

// hear takes what came down the line.
func (p *pc) hear(payload []byte) {
	var h envelope.Head
	if p.buf == nil || !p.online || json.Unmarshal(payload, &h) != nil {
		return
	}
	for i, f := range p.fw {
		if envelope.Streams[i] != h.Stream {
			continue
		}
		before := p.buf.State(h.Stream)
		err := f.Head(p.w.ctx, p.w.now, h)
		if after := p.buf.State(h.Stream); h.Nonce == "" && after.Epoch == before.Epoch && after.Acked < before.Acked {
			p.w.breaks("%s/%s: an ack moved the head down from %d to %d", p.name, h.Stream, before.Acked, after.Acked)
		}
		if err != nil {
			p.w.faults["word not obeyed"]++
			p.w.trace("%s: %v", p.name, err)
		}
	}
	p.pump()
}

// look checks after every step that nothing counts as delivered which the hub never held.
func (p *pc) look() {
	if p.buf == nil {
		return
	}
	for _, s := range envelope.Streams {
		st := p.buf.State(s)
		k := string(s) + st.Epoch.String()
		if st.Acked > p.heads[k] && p.w.hub.store != nil {
			if held := p.w.hub.committed(laneName{p.device, s, st.Epoch}); st.Acked > held {
				p.w.breaks("%s/%s takes %d as delivered, the hub never held more than %d", p.name, s, st.Acked, held)
			}
		}
		p.heads[k] = st.Acked
	}
	if len(p.heads) > 150 {
		p.w.breaks("%s opens one epoch after another", p.name)
	}
}

// settled: everything told is read, sent, and known to be at the hub.
func (p *pc) settled() bool {
	if p.buf == nil || !p.told {
		return false
	}
	for i, s := range envelope.Streams {
		phase, _, _ := p.fw[i].Status()
		if st := p.buf.State(s); st.Acked != st.Last || phase != forward.Streaming {
			return false
		}
	}
	for _, j := range p.sources {
		c, err := p.buf.Cursor(p.w.ctx, j.name)
		if err != nil || string(c) != strconv.Itoa(len(j.items)) {
			return false
		}
	}
	return true
}

func (p *pc) describe() string {
	if p.buf == nil {
		return p.name + " is down"
	}
	s := p.name
	for i, st := range envelope.Streams {
		phase, why, _ := p.fw[i].Status()
		x := p.buf.State(st)
		s += fmt.Sprintf(" %s[%s %s %d/%d %s]", st, phase, short(x.Epoch), x.Acked, x.Last, why)
	}
	return s
}

// calmDown: the line is good, the agent runs, and the hub's retained state has told it to ask where it stands.
func (p *pc) calmDown() {
	if p.buf == nil {
		p.boot()
		p.pollIn()
	}
	p.connectIn(time.Second)
	p.later(time.Second, func() { p.told = true })
}

// clean is the card-data guard as the agent wires it.
func clean(d source.Draft) source.Draft {
	d.Body = guard.Bytes(d.Body)
	return d
}

func reserve(dir string) {
	f, err := os.Create(filepath.Join(dir, "reserve")) // a hole: the real one would write 8 MB for every start
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if err := f.Truncate(8 << 20); err != nil {
		panic(err)
	}
}
