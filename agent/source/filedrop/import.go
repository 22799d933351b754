package filedrop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// batch is how many records one commit of an import takes.
const batch = 200

// maxListed bounds the list of bad rows in a report; all of them are kept and become cases.
const maxListed = 1000

// Import is one file to take in at a person's word.
type Import struct {
	Path     string
	Profile  *profile.Profile
	Location retail.LocationCode
	Stream   envelope.Stream
	Spill    string // as in Folder
	Card     Card
}

// Bad is one thing that cannot be booked: it is kept, and head office has a case.
type Bad struct {
	Row int    `json:"row"`
	Why string `json:"why"`
}

// Report proves what became of every row: Rows = Lines + Cases.
type Report struct {
	File     string `json:"file"`
	SHA256   string `json:"sha256"`
	Profile  string `json:"profile"`
	Refused  string `json:"refused,omitempty"` // why nothing of the file can be read; head office has a case
	Rows     int    `json:"rows"`
	Tickets  int    `json:"tickets"`
	Controls int    `json:"control_totals,omitempty"` // compared, never booked
	Lines    int    `json:"ticket_rows"`              // rows in those tickets and control totals
	Cases    int    `json:"case_rows"`                // rows that become cases
	Bad      []Bad  `json:"bad,omitempty"`
	Source   string `json:"source_total"` // exact, as the file's cells say
	Booked   string `json:"booked_total"`
	Rounded  string `json:"rounding"` // Booked − Source, ticket by ticket half away from zero
}

// Run reads the file and hands every record to the sink, in batches; it returns when the last is durable. The same file again is harmless:
// the hub knows every ticket by identity and content. Codes: unavailable when the file is locked or changed while it was read; invalid for what is no file.
func (im Import) Run(ctx context.Context, sink source.Sink) (rep Report, err error) {
	if im.Path, err = filepath.EvalSymlinks(im.Path); err != nil { // a person named it: where it leads is what they mean
		return rep, fault.New(fault.Unavailable, "read file", err)
	}
	if at, err := os.Stat(im.Path); err == nil && at.Mode()&noFile != 0 {
		return rep, fault.Msg(fault.Invalid, "read file", im.Path+" is a folder or a device: name the file in it, one at a time")
	}
	c, err := load(ctx, im.Profile, im.Path, im.Spill, im.Location, im.Card, trail{})
	if err != nil {
		return rep, err
	}
	defer c.close()
	f, err := openShared(im.Path)
	if err != nil {
		return rep, fault.New(fault.Unavailable, "read file", err)
	}
	defer f.Close()
	c.stream = im.Stream
	rep = Report{File: guard.Text(filepath.Base(im.Path)), SHA256: c.sha, Profile: im.Profile.Name, Rows: c.rows}
	if c.refused != "" {
		rep.Refused = guard.Text(c.refused)
	}
	out := batcher{sink: sink, name: "import " + rep.File, waiting: c.introduce()}
	booked, rounded := decimal.Decimal{}, decimal.Decimal{}
	err = c.each(ctx, f, func(d drafted) error {
		if fault.Is(d.err, fault.Internal) {
			return d.err
		}
		rep.count(d.group, d.worth, d.err)
		booked = booked.Add(d.worth.booked)
		if !d.worth.rounded.IsZero() {
			rounded = rounded.Add(d.worth.rounded)
		}
		return out.add(ctx, d.draft)
	})
	if err != nil {
		return rep, err
	}
	rep.Booked, rep.Rounded, rep.Source = booked.String(), rounded.String(), booked.Sub(rounded).String()
	if c.refused != "" {
		rep.Cases = rep.Rows
	}
	marks, err := c.marks(out.name)
	if err != nil {
		return rep, err
	}
	out.waiting = append(out.waiting, marks...)
	return rep, out.flush(ctx)
}

// batcher hands drafts over in batches.
type batcher struct {
	sink    source.Sink
	name    string
	waiting []source.Draft
	size    int
}

func (b *batcher) add(ctx context.Context, d source.Draft) error {
	if b.waiting == nil {
		b.waiting = make([]source.Draft, 0, batch)
	}
	b.waiting, b.size = append(b.waiting, d), b.size+len(d.Body)
	if len(b.waiting) < batch && b.size < batchBytes {
		return nil
	}
	return b.flush(ctx)
}

func (b *batcher) flush(ctx context.Context) error {
	if len(b.waiting) == 0 {
		return nil
	}
	err := b.sink.Append(ctx, b.name, "", b.waiting)
	b.waiting, b.size = nil, 0
	return err
}

// count sorts a group's rows into tickets, control totals and cases.
func (r *Report) count(g group, w worth, err error) {
	if err == nil {
		if w.control {
			r.Controls++
		} else {
			r.Tickets++
		}
		r.Lines += len(g.rows)
		return
	}
	r.Cases += len(g.rows)
	for _, row := range g.rows {
		if len(r.Bad) < maxListed {
			why := reason(err)
			if _, after, ok := strings.Cut(why, fmt.Sprintf(", row %d: ", row.N)); ok { // the list says the row itself
				why = after
			}
			r.Bad = append(r.Bad, Bad{row.N, guard.Text(why)})
		}
	}
}

// reason is an error's own words without the operation.
func reason(err error) string {
	var f *fault.Error
	for errors.As(err, &f) {
		err = f.Err
	}
	return err.Error()
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(out, ", ")
}
