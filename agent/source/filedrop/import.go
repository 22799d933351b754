package filedrop

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
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
}

// Bad is one thing that cannot be booked: it is kept, and head office has a case.
type Bad struct {
	Row int    `json:"row"`
	Why string `json:"why"`
}

// Report proves what became of every row.
type Report struct {
	File    string                         `json:"file"`
	SHA256  string                         `json:"sha256"`
	Profile string                         `json:"profile"`
	Rows    int                            `json:"rows"`
	Tickets int                            `json:"tickets"`
	Lines   int                            `json:"ticket_rows"` // rows in those tickets
	Cases   int                            `json:"case_rows"`   // rows that become cases: Rows = Lines + Cases
	Bad     []Bad                          `json:"bad,omitempty"`
	Source  string                         `json:"source_total"` // exact, as the file's cells say
	Booked  string                         `json:"booked_total"`
	Rounded string                         `json:"rounding"` // Booked − Source, ticket by ticket half away from zero
	Marks   map[retail.LocationCode]string `json:"-"`
}

// Run reads the file and hands every record to the sink, in batches; it returns when the last is durable. The same file again is harmless:
// the hub knows every ticket by identity and content.
func (im Import) Run(ctx context.Context, sink source.Sink) (rep Report, err error) {
	c, err := load(ctx, im.Profile, im.Path, im.Location)
	if err != nil {
		return rep, err
	}
	c.stream = im.Stream
	rep = Report{File: c.name, SHA256: c.sha, Profile: im.Profile.Name, Rows: c.rows}
	name := "import " + c.name
	ds := c.introduce()
	booked, rounded := decimal.Decimal{}, decimal.Decimal{}
	for i := range c.groups {
		d, rec, err := c.draft(i)
		if fault.Is(err, fault.Internal) {
			return rep, err
		}
		rep.count(c.groups[i], err)
		if t, ok := rec.(retail.Ticket); ok && err == nil {
			b, r := worth(t)
			booked, rounded = booked.Add(b), rounded.Add(r)
		}
		if ds = append(ds, d); len(ds) >= batch {
			if err := sink.Append(ctx, name, "", ds); err != nil {
				return rep, err
			}
			ds = nil
		}
	}
	marks, err := c.marks(name)
	if err != nil {
		return rep, err
	}
	rep.Booked, rep.Rounded, rep.Source = booked.String(), rounded.String(), booked.Sub(rounded).String()
	if ds = append(ds, marks...); len(ds) == 0 {
		return rep, nil
	}
	return rep, sink.Append(ctx, name, "", ds)
}

// count sorts a group's rows into tickets and cases.
func (r *Report) count(g group, err error) {
	if err == nil {
		r.Tickets++
		r.Lines += len(g.rows)
		return
	}
	r.Cases += len(g.rows)
	for _, row := range g.rows {
		if len(r.Bad) < maxListed {
			r.Bad = append(r.Bad, Bad{row.N, reason(err)})
		}
	}
}

// worth is a ticket's booked total and how much of it is rounding.
func worth(t retail.Ticket) (booked, rounded decimal.Decimal) {
	total, err := t.Total()
	if err != nil {
		return booked, rounded
	}
	if t.Rounded != "" {
		rounded, _ = money.ParseDecimal(t.Rounded)
	}
	return total.DecimalOf(), rounded
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
