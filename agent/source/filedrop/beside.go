package filedrop

import (
	"context"
	"io"
	"runtime"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/retail"
)

// drafted is a group and what became of it.
type drafted struct {
	group group
	draft source.Draft
	rec   retail.Record
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
	for range workers {
		m := &drafter{c: c}
		go func() {
			for p := range todo {
				p.make(m)
			}
		}()
	}
	go c.portions(ctx, f, todo, inOrder)
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
	}
	return ctx.Err()
}

// portion is some groups that one goroutine drafts.
type portion struct {
	out  []drafted
	err  error // of reading, behind these
	done chan struct{}
}

func (p *portion) make(m *drafter) {
	for i := range p.out {
		d := &p.out[i]
		d.draft, d.rec, d.err = m.draft(d.group)
	}
	close(p.done)
}

// portions reads groups from front to end. Each portion is in inOrder before it is in todo, and comes out of both.
func (c *content) portions(ctx context.Context, f io.ReaderAt, todo, inOrder chan<- *portion) {
	defer close(inOrder)
	defer close(todo)
	for more := true; more && ctx.Err() == nil; {
		var p *portion
		p, more = c.portion(f)
		select {
		case inOrder <- p:
			todo <- p
		case <-ctx.Done():
		}
	}
}

// portion reads the next few groups; more is false behind the last.
func (c *content) portion(f io.ReaderAt) (p *portion, more bool) {
	p = &portion{out: make([]drafted, 0, together), done: make(chan struct{})}
	for size := 0; len(p.out) < together && size < togetherBytes; {
		g, ok, err := c.next(f)
		if err != nil || !ok {
			p.err = err
			return p, false
		}
		p.out = append(p.out, drafted{group: g})
		for _, r := range g.rows {
			for _, cell := range r.Cells {
				size += len(cell)
			}
		}
	}
	return p, true
}
