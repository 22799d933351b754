// Package profile maps the columns of a file that somebody else designed to tickets: number and date formats, grouping of rows, rounding,
// fixed values. A profile is a TOML file; agent and hub read it with the same code, so that what the agent validates the hub books. It is
// pure.
package profile

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

//go:embed shipped/*.toml
var shippedFiles embed.FS

// Profile says how a file's rows become tickets. Make it with Parse.
type Profile struct {
	Name      string         `toml:"name"`
	About     string         `toml:"about"`
	Format    string         `toml:"format"`    // csv, json, ndjson, xlsx; sql: a till's own database
	Encoding  string         `toml:"encoding"`  // "" = utf-8; utf-16, windows-1252, …: an IANA name
	Delimiter string         `toml:"delimiter"` // csv, "" = ","
	Sheet     string         `toml:"sheet"`     // xlsx, "" = the first
	Skip      int            `toml:"skip"`      // lines before the header
	Header    string         `toml:"header"`    // a cell by which the header is known, wherever it stands; "" = the first line that is not skipped
	Title     string         `toml:"title"`     // what must stand above the header: another report is refused
	Totals    []string       `toml:"totals"`    // first cells of rows that are the report's own totals and no rows
	Only      []string       `toml:"only"`      // templates; where one is empty the row is a report's decoration and no row
	Record    string         `toml:"record"`    // what rows become: ticket ("") or control, a control total of a day
	System    string         `toml:"system"`    // whose ids these are; part of the key
	Scope     string         `toml:"scope"`     // within what an id is unique: "", or a template such as {Store}
	Rank      int            `toml:"rank"`      // a lower one never replaces a higher
	Zone      string         `toml:"zone"`      // of times without an offset
	Currency  money.Currency `toml:"currency"`
	Spread    string         `toml:"spread"`  // what tells a ticket's rows apart over all files that have some of it, such as {Line}; "" = a ticket stands in one file
	Decimal   string         `toml:"decimal"` // "" = "."
	Group     string         `toml:"group"`   // thousands, "" = none
	Times     []string       `toml:"times"`   // Go layouts, tried in order

	Ticket  TicketRule                   `toml:"ticket"`
	Lines   []LineRule                   `toml:"line"`
	Tenders []TenderRule                 `toml:"tender"`
	Control ControlRule                  `toml:"control"`
	Tables  map[string]map[string]string `toml:"table"` // {Column|table}; "*" = every other value, "=" keeps it
	Proof   Proof                        `toml:"proof"`
	SQL     SQL                          `toml:"sql"` // of format sql

	raw   []byte
	zone  *time.Location
	rules *rules
	keys  map[string]bool // columns of a ticket's identity
	reads []string        // columns, see Columns
	dated bool            // its rows are of the day that the report names
}

// TicketRule makes the head of a ticket from its first row.
type TicketRule struct {
	ID       string `toml:"id"`
	Number   string `toml:"number"`
	Location string `toml:"location"` // "" = the folder's own
	Till     string `toml:"till"`
	Cashier  string `toml:"cashier"`
	Day      string `toml:"business_day"`
	At       string `toml:"at"`
	Kind     string `toml:"kind"` // "" = by the sign of its total
	Parent   string `toml:"parent"`
	Customer string `toml:"customer"`
	Sequence string `toml:"sequence"`
}

// LineRule makes a line from each row; one whose amount is empty or zero is left out unless it is an item.
type LineRule struct {
	Kind        string `toml:"kind"`
	Code        string `toml:"code"`
	Category    string `toml:"category"`
	Description string `toml:"description"`
	Quantity    string `toml:"quantity"`
	Amount      string `toml:"amount"` // sums of products: "{Qty} * {Price} + -1 * {Discount}"
	Reason      string `toml:"reason"`
	Cost        string `toml:"cost"`  // of goods, for the whole line: "{Qty} * {Unit Cost}"
	Taxes       string `toml:"taxes"` // codes of the taxes on it, with commas between; "" = the file does not say
	Once        bool   `toml:"once"`  // the column repeats a value of the whole ticket: only the first row counts
}

// TenderRule makes a tender of a ticket. An empty Amount takes what the lines come to.
type TenderRule struct {
	Type   string `toml:"type"`
	Brand  string `toml:"brand"`
	Amount string `toml:"amount"`
	Ref    string `toml:"ref"`
	Last4  string `toml:"last4"`
	Once   bool   `toml:"once"`
}

// ControlRule makes a day's control total of all rows of that day: sums that are compared with what was booked, and never booked themselves.
type ControlRule struct {
	Day   string `toml:"business_day"`
	Gross string `toml:"gross"` // lines without tax, returns deducted; an amount, summed over the rows
	Tax   string `toml:"tax"`
	Paid  string `toml:"paid"`
}

// Proof is what the file says about completeness.
type Proof struct {
	WholeDays bool   `toml:"whole_days"` // a file holds only whole business days: its newest ticket's day is complete
	Gaps      string `toml:"gaps"`       // of ticket numbers: absent, advisory, required; "" = the hub's rule
	Control   string `toml:"control"`    // totals that come beside the tickets: the same words
}

// Rows is the body of an envelope of kind rows.v1: the rows of one ticket as they stood in the file.
type Rows struct {
	Profile  string              `json:"profile"`
	Version  string              `json:"version,omitempty"` // of its text, see Profile.Version; "" = made by an agent that did not say it yet
	File     string              `json:"file"`
	SHA256   string              `json:"sha256"`
	Location retail.LocationCode `json:"location,omitempty"` // the folder's own
	Zone     string              `json:"zone,omitempty"`     // of times without an offset, where the source knows better than the profile
	Top      []string            `json:"top,omitempty"`      // the lines above the header
	Header   []string            `json:"header"`
	Rows     []Row               `json:"rows"`
	Note     string              `json:"note,omitempty"` // why the file's reader could not make sense of it
}

// Row is one row with its number in the file, counted from 1 with the header.
type Row struct {
	N     int      `json:"n"`
	Cells []string `json:"cells"`
}

// Parse reads a profile strictly. The error lists everything that is wrong with it; code invalid.
func Parse(body []byte) (*Profile, error) {
	p := &Profile{raw: body}
	var f config.Faults
	config.Decode(body, p, &f)
	p.check(&f)
	if err := f.Err("profile " + p.Name); err != nil {
		return nil, err
	}
	return p, nil
}

// TOML is the text that Parse read.
func (p *Profile) TOML() []byte { return p.raw }

// templates lists every text that may name columns.
func (p *Profile) templates() (out []string) {
	t := p.Ticket
	out = append(out, p.Scope, p.Spread, t.ID, t.Number, t.Location, t.Till, t.Cashier, t.Day, t.At, t.Kind, t.Parent, t.Customer, t.Sequence)
	for _, l := range p.Lines {
		out = append(out, l.Kind, l.Code, l.Category, l.Description, l.Quantity, l.Amount, l.Reason, l.Cost, l.Taxes)
	}
	for _, t := range p.Tenders {
		out = append(out, t.Type, t.Brand, t.Amount, t.Ref, t.Last4)
	}
	out = append(out, p.Only...)
	return append(out, p.Control.Day, p.Control.Gross, p.Control.Tax, p.Control.Paid)
}

// Columns lists the columns that the profile reads: a file that lacks one has the wrong columns.
func (p *Profile) Columns() []string { return p.reads }

func (p *Profile) columns() (out []string) {
	for _, t := range p.templates() {
		for _, part := range split(t) {
			from, to, _ := strings.Cut(part.column, "...")
			for _, c := range []string{from, to} {
				if heading(c) && !slices.Contains(out, c) {
					out = append(out, c)
				}
			}
		}
	}
	return out
}

// Missing lists the columns that a header lacks.
func (p *Profile) Missing(header []string) (out []string) {
	for _, c := range p.Columns() {
		if !slices.Contains(header, c) {
			out = append(out, c)
		}
	}
	return out
}

// Codes lists the tenders and taxes that the profile itself names: those that its files will bring without naming them.
func (p *Profile) Codes() (tenders, taxes []string) {
	for _, t := range p.Tenders {
		tenders = append(tenders, p.fixed(t.Type)...)
	}
	for _, l := range p.Lines {
		if l.Kind == string(retail.Tax) {
			taxes = append(taxes, p.fixed(l.Code)...)
		}
	}
	return tenders, taxes
}

// fixed lists what a template can come to, as far as the profile says.
func (p *Profile) fixed(t string) (out []string) {
	parts := split(t)
	switch {
	case len(parts) != 1:
	case parts[0].column == "":
		out = []string{parts[0].literal}
	default:
		for _, to := range p.Tables[parts[0].table] {
			if to != "" && to != "=" && to != "-" {
				out = append(out, to)
			}
		}
		slices.Sort(out)
	}
	return out
}

// shipped is read once: a profile does not change after Parse.
var shipped = sync.OnceValue(func() map[string]*Profile {
	out := map[string]*Profile{}
	for _, name := range Names() {
		body, err := shippedFiles.ReadFile("shipped/" + name + ".toml")
		if err == nil {
			out[name], err = Parse(body)
		}
		if err != nil {
			panic(fmt.Sprintf("BUG: shipped profile: %v", err))
		}
	}
	return out
})

// Shipped returns a profile that comes with Tillpost.
func Shipped(name string) (*Profile, bool) {
	p, ok := shipped()[name]
	return p, ok
}

// Names lists the shipped profiles.
func Names() (out []string) {
	es, _ := shippedFiles.ReadDir("shipped")
	for _, e := range es {
		out = append(out, strings.TrimSuffix(e.Name(), ".toml"))
	}
	return out
}

func invalid(format string, args ...any) error {
	return fault.Msg(fault.Invalid, "read rows", fmt.Sprintf(format, args...))
}
