package buffer

import "github.com/tillpost/tillpost/shared/envelope"

// groups finds the parts of large records of which another part is gone. Such a torso says nothing to anybody: its record counts as lost
// and comes again whole. It sees the rows in order.
type groups struct {
	drop map[uint64]bool
	seqs []uint64          // every row seen
	open []uint64          // parts of the record that is not complete yet
	last envelope.Envelope // the newest of them
}

func (g *groups) see(e envelope.Envelope) error {
	g.seqs = append(g.seqs, e.Pos.Seq)
	next := len(g.open) > 0 && e.Pos.Seq == g.last.Pos.Seq+1 && e.Part == g.last.Part+1 && e.Parts == g.last.Parts && e.Key == g.last.Key
	if !next {
		g.tear()
	}
	switch {
	case e.Parts <= 1:
		return nil
	case !next && e.Part != 1:
		g.drop[e.Pos.Seq] = true
		return nil
	}
	e.Body = nil
	g.open, g.last = append(g.open, e.Pos.Seq), e
	if e.Part == e.Parts {
		g.open = nil
	}
	return nil
}

func (g *groups) tear() {
	for _, s := range g.open {
		g.drop[s] = true
	}
	g.open = nil
}

// done returns how many rows behind acked go on.
func (g *groups) done(acked uint64) (n uint64) {
	g.tear()
	for _, s := range g.seqs {
		if s > acked && !g.drop[s] {
			n++
		}
	}
	return n
}
