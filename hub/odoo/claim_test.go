package odoo

import (
	"context"
	"math/rand/v2"
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

// ownBook is a ClaimBook that outlives its hub's process.
type ownBook struct {
	ClaimBook
	beat Beat
}

func (b *ownBook) Beating(_ context.Context, k Beat) error { b.beat = k; return nil }

// TestAHubKnowsItsOwnClaimWhateverArrived: it is killed, starts again, and what it writes arrives or not, as often in a row as it likes. Held by itself,
// it would post nothing for two minutes, and a hub that is killed each minute would never post.
func TestAHubKnowsItsOwnClaimWhateverArrived(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		book, stands := &ownBook{}, Claim{}
		for range 20 { // starts of the process
			c := &Claims{Name: "me", Book: book, last: book.beat, me: Claim{Hub: "me", Run: newRun()}}
			for range r.IntN(5) {
				if judge(stands, c.me, c.last, pulse{}, false, time.Unix(0, 0), time.Minute) == hold {
					t.Fatalf("seed %d: %q stands, %+v was written last, and it takes it for another hub's", seed, stands, c.last)
				}
				mine, err := c.next(t.Context(), stands)
				if err != nil {
					t.Fatal(err)
				}
				if r.IntN(2) == 0 { // else Odoo was away, or its answer was no
					if mine.by(stands) && mine.Beat <= stands.Beat {
						t.Fatalf("seed %d: after %q it writes %q, and nobody sees that it lives", seed, stands, mine)
					}
					stands = mine
				}
			}
		}
	}
}
