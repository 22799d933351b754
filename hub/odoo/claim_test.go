package odoo

import (
	"testing"
	"time"
)

func TestAClaimIsReadAsItWasWritten(t *testing.T) {
	c := Claim{Hub: "ab12cd34", Run: "0f1e2d3c", Beat: 41, Name: "store-pc, https://tillpost.example.com"}
	if got := parseClaim(c.String()); got != c {
		t.Errorf("got %+v, want %+v", got, c)
	}
	for _, s := range []string{"", "Tillpost ab S-1/2026-11-01/1 0f", "Tillpost-claim hub=a run=b", "Tillpost-claim hub=a run=b beat=99999999999999999999 at=x"} {
		if got := parseClaim(s); !got.Free() {
			t.Errorf("%q is read as a claim: %+v", s, got)
		}
	}
}

func TestAClaimIsTakenOnlyFromWhoIsGone(t *testing.T) {
	const gap, still = 45 * time.Second, 2 * time.Minute
	me, at := Claim{Hub: "me", Run: "1"}, time.Unix(1e9, 0)
	other := Claim{Hub: "you", Run: "2", Beat: 7}
	look := func(p pulse, c Claim, seconds int) (pulse, move) {
		now := at.Add(time.Duration(seconds) * time.Second)
		p = p.see(c, now, gap)
		return p, judge(c, me, Beat{}, p, false, now, still)
	}
	for _, c := range []struct {
		name  string
		looks []int // seconds
		moves bool  // the other writes before each look
		want  move
	}{
		{"it stands still for two minutes", []int{0, 30, 60, 90, 120}, false, take},
		{"it lives", []int{0, 30, 60, 90, 120, 150}, true, hold},
		{"not two minutes yet", []int{0, 30, 60, 90, 119}, false, hold},
		{"Odoo was away for three minutes, and nobody could write", []int{0, 15, 195}, false, hold},
		{"Odoo was away, and the other is gone", []int{0, 15, 195, 225, 255, 285, 315}, false, take},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p pulse
			var got move
			for _, s := range c.looks {
				if c.moves {
					other.Beat++
				}
				p, got = look(p, other, s)
			}
			if got != c.want || p.moved != c.moves {
				t.Errorf("move %d, seen to live: %v; want %d, %v", got, p.moved, c.want, c.moves)
			}
		})
	}
	if _, got := look(pulse{}, Claim{}, 0); got != take {
		t.Errorf("nobody's claim: move %d", got)
	}
	mine := Claim{Hub: "me", Run: "1", Beat: 3}
	if got := judge(mine, me, Beat{Run: "1", N: 4}, pulse{}, false, at, still); got != beatOn { // its last write did not arrive
		t.Errorf("its own claim: move %d", got)
	}
	if got := judge(mine, me, Beat{Run: "1", N: 9}, pulse{}, false, at, still); got != hold { // a copy of this hub has gone on without it
		t.Errorf("the claim of a copy: move %d", got)
	}
}
