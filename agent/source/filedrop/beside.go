package filedrop

import (
	"context"
	"io"
	"runtime"

	"github.com/tillpost/tillpost/agent/source"
)

// drafted is a group and what became of it; the group holds until do returns.
type drafted struct {
	group group
	draft source.Draft
	worth worth
	err   error
}

const (
	together      = 32 // groups that one goroutine drafts at a time
	togetherBytes = 1 << 20
)

// each hands over all groups in their order, drafted. Drafts are made beside one another and beside what do does with those before: they
// are most of an import's work. It returns the first error, of reading or of do, when nothing runs any more.
func (c *content) each(ctx context.Context, f io.ReaderAt, do func(drafted) error) (err error) {
	ctx, stop := context.WithCancel(ctx)
	workers := runtime.GOMAXPROCS(0)
	todo, inOrder := make(chan *portion), make(chan *portion, 2*workers)
	used := make(chan *portion, cap(inOrder)+2) // as many as there are at a time: one more is being read, one handed over
	for range workers {
		m := &drafter{c: c}
		go func() {
			for p := range todo {
				p.make(m)
			}
		}()
	}
	go c.portions(ctx, f, todo, inOrder, used)
	defer func() {
		stop()
		for p := range inOrder { // until the reader has ended, which uses f
			<-p.done
		}
	}()
	for p := range inOrder {
		<-p.done
		for _, d := range p.out {
			if err := do(d); err != nil {
				return err
			}
		}
		if p.err != nil {
			return p.err
		}
		used <- p
	}
	return ctx.Err()
}

// portion is some groups that one goroutine drafts.
type portion struct {
	out  []drafted
	err  error         // of reading, behind these
	done chan struct{} // takes one when they are drafted
	room space
}

func (p *portion) make(m *drafter) {
	for i := range p.out {
		d := &p.out[i]
		d.draft, d.worth, d.err = m.draft(d.group)
	}
	p.done <- struct{}{}
}

// portions reads groups from front to end. Each portion is in inOrder before it is in todo, and comes out of both.
func (c *content) portions(ctx context.Context, f io.ReaderAt, todo, inOrder chan<- *portion, used <-chan *portion) {
	defer close(inOrder)
	defer close(todo)
	for more := true; more && ctx.Err() == nil; {
		var p *portion
		select {
		case p = <-used:
			p.out = p.out[:0]
			p.room.again()
		default:
			p = &portion{out: make([]drafted, 0, together), done: make(chan struct{}, 1)}
		}
		more = p.read(c, f)
		select {
		case inOrder <- p:
			todo <- p
		case <-ctx.Done():
		}
	}
}

// read reads the next few groups; more is false behind the last.
func (p *portion) read(c *content, f io.ReaderAt) (more bool) {
	for size := 0; len(p.out) < together && size < togetherBytes; {
		g, ok, err := c.next(f, &p.room)
		if err != nil || !ok {
			p.err = err
			return false
		}
		p.out = append(p.out, drafted{group: g})
		for _, r := range g.rows {
			for _, cell := range r.Cells {
				size += len(cell)
			}
		}
	}
	return true
}
