package source

import (
	"crypto/rand"
	"strconv"
	"strings"
)

// Pieces hands over in several transactions what a source found at once, a batch with its payments for instance. How far it came stands in
// the cursor, so that a piece that could not be stored is given again. After a crash in between, the source finds everything anew: that must
// be harmless. The zero value is empty; it is not safe for concurrent use.
type Pieces struct {
	drafts []Draft
	before Cursor // holds until all is stored
	last   Cursor // holds then
	round  string // which finding this is; random, so that no cursor of an earlier process fits
}

// Put takes what was found after a cursor; last is the cursor that covers all of it.
func (p *Pieces) Put(after Cursor, ds []Draft, last Cursor) {
	*p = Pieces{drafts: ds, before: Whole(after), last: last, round: rand.Text()[:12]}
}

// Next gives the following piece and the cursor that covers it; ok is false when nothing is left to give: look anew from after.
func (p *Pieces) Next(after Cursor, most int) (ds []Draft, next Cursor, ok bool) {
	if len(p.drafts) == 0 || after == p.last {
		p.drafts = nil
		return nil, after, false
	}
	from := 0
	if round, n, found := strings.Cut(strings.TrimPrefix(string(after), string(p.before)+"\n"), "/"); found && round == p.round {
		from, _ = strconv.Atoi(n) // we wrote it
	}
	to := min(from+most, len(p.drafts))
	if next = p.last; to < len(p.drafts) {
		next = p.before + Cursor("\n"+p.round+"/"+strconv.Itoa(to))
	}
	return p.drafts[from:to], next, true
}

// Whole is the cursor without the mark of a piece. A source's own cursor must not hold a line feed.
func Whole(c Cursor) Cursor {
	own, _, _ := strings.Cut(string(c), "\n")
	return Cursor(own)
}
