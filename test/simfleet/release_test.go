package simfleet

import (
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/update"
)

// release is what a new version does on a PC. Every old version is good.
type release struct {
	name    string
	start   func(*pc) bool // false = it ends at once
	begin   func(*pc) bool // false = it never begins its work
	live    func(*pc) bool // false = it ends by itself
	move    func(*pc) bool
	eat     uint64 // bytes per tick
	rehears bool   // it leaves a buffer that the version before cannot go on with
}

func (r release) ask(f func(*pc) bool, p *pc) bool { return p.proc.v != fresh || f == nil || f(p) }

func (r release) starts(p *pc) bool { return r.ask(r.start, p) }
func (r release) begins(p *pc) bool { return r.ask(r.begin, p) }
func (r release) lives(p *pc) bool  { return r.ask(r.live, p) }
func (r release) moves(p *pc) bool  { return r.ask(r.move, p) }

func (r release) eats(p *pc) uint64 {
	if p.proc.v != fresh {
		return 0
	}
	return r.eat
}

// refuses is what the version that runs finds when both rehearse on a small buffer.
func (r release) refuses(*pc) *update.Failure {
	if !r.rehears {
		return nil
	}
	return &update.Failure{Cause: update.Schema, Detail: "version " + old + " cannot go on with the buffer after it", Final: true}
}

func never(*pc) bool { return false }

const good = "good"

// releases are those of the promise: a good one, and bad ones that break each in its own way.
var releases = []release{
	{name: good},
	{name: "crashes at start", start: never},
	{name: "never begins", begin: never},
	{name: "hangs", move: never},
	{name: "eats memory", eat: 200 << 20},
	{name: "breaks the buffer", rehears: true},
	{name: "breaks only offline", live: func(p *pc) bool { return p.online }},
	{name: "breaks only on Windows", start: func(p *pc) bool { return !strings.HasPrefix(p.Platform, "windows") }},
	{name: "breaks one kind of source", live: func(p *pc) bool { return p.Sources != "localapi" }},
	{name: "is fine for an hour", live: func(p *pc) bool { return p.proc.up <= time.Hour }},
}
