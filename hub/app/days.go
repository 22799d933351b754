package app

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

func (c *cli) dayCommands() []*cobra.Command {
	var f view.DayFilter
	days := c.on("days", "list store-days", 0, func(ctx context.Context, s *desk, _ []string) error {
		if f.Location != "" {
			if _, err := s.LocationForm(ctx, f.Location); err != nil {
				return err
			}
		}
		ds, err := s.DayViews(ctx, f)
		if err != nil {
			return err
		}
		return c.tell(ds, func(w io.Writer) { printDays(w, ds) })
	})
	days.Flags().StringVar((*string)(&f.Location), "location", "", "only this one")
	days.Flags().Var((*date)(&f.From), "from", "first day")
	days.Flags().Var((*date)(&f.To), "to", "last day")
	days.Flags().Var((*state)(&f.State), "state", "only days in this state")
	day := c.on("day LOCATION DATE [DECISION]", "show a store-day with its documents, or decide about it: hold, release, approve or reverse", 2, func(ctx context.Context, s *desk, args []string) error {
		if len(args) > 2 {
			return c.decided(ctx, s, args[:2], args[2], decisions[args[2]])
		}
		d, err := s.DayDetail(ctx, dayKey(args))
		if err != nil {
			return err
		}
		return c.tell(d, func(w io.Writer) { printDay(w, d) })
	})
	day.Args = dayArgs
	day.AddCommand(c.decide("hold", "keep a store-day from being posted"), c.decide("release", "let a held store-day go"), c.decide("approve", "let a store-day be posted as it is"),
		c.decide("reverse", "take a posted store-day back by a counter-entry; what is matched in Odoo stays, release books the day anew"))
	return []*cobra.Command{days, day,
		c.on("ticket ID", "show a ticket: by its id, its number or its key", 1, c.ticket), c.on("log TICKET", "list a ticket's whole way", 1, c.log),
		c.on("status", "how everything stands; fails when somebody must act", 0, c.status)}
}

func dayKey(args []string) rollup.DayKey {
	return rollup.DayKey{Location: retail.LocationCode(args[0]), Day: retail.BusinessDate(args[1])}
}

func (s *desk) hold(ctx context.Context, k rollup.DayKey, why string) error {
	return s.Store.Hold(ctx, k, s.who, why)
}

func (s *desk) release(ctx context.Context, k rollup.DayKey, why string) error {
	return s.Store.Release(ctx, k, s.who, why)
}

func (s *desk) approve(ctx context.Context, k rollup.DayKey, why string) error {
	return s.Store.Approve(ctx, k, s.who, why)
}

// decisions are what a person may decide about a store-day, as its command and behind its name.
var decisions = map[string]func(*desk, context.Context, rollup.DayKey, string) error{"hold": (*desk).hold, "release": (*desk).release, "approve": (*desk).approve, "reverse": (*desk).reverse}

// dayArgs takes a store-day and, behind it, what is decided about it.
func dayArgs(_ *cobra.Command, args []string) error {
	switch {
	case len(args) >= 2 && !retail.BusinessDate(args[1]).Valid():
		return fault.Msg(fault.Invalid, "day", fmt.Sprintf("%q is no day: write it like 2026-11-20; nothing was changed", args[1]))
	case len(args) == 2:
		return nil
	case len(args) == 3 && decisions[args[2]] != nil:
		return nil
	case len(args) == 3:
		return fault.Msg(fault.Invalid, "day", fmt.Sprintf("%q is no decision: hold, release, approve or reverse; nothing was changed", args[2]))
	}
	return fault.Msg(fault.Invalid, "day", "a store-day is a location and a date, such as: hub day S-17 2026-11-20; behind it may stand hold, release, approve or reverse")
}

func (c *cli) decide(what, short string) *cobra.Command {
	return c.on(what+" LOCATION DATE", short, 2, func(ctx context.Context, s *desk, args []string) error {
		return c.decided(ctx, s, args, what, decisions[what])
	})
}

func (c *cli) decided(ctx context.Context, s *desk, day []string, what string, do func(*desk, context.Context, rollup.DayKey, string) error) error {
	if err := do(s, ctx, dayKey(day), c.reason); err != nil {
		return err
	}
	return c.done("store-day " + dayKey(day).String() + ": " + what)
}

func printDays(w io.Writer, ds []view.DayView) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "DAY\tLOCATION\tTICKETS\tGROSS\tTAX\tSTATE\tDIFFERENCE TO ODOO\t")
	for _, d := range ds {
		diff := "–"
		if d.Odoo.Known {
			diff = d.Odoo.Difference.String()
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", d.Key.Day, d.Key.Location, d.Tickets, d.Gross, d.Tax, stateOf(d), diff, d.Why)
	}
	t.Flush()
}

// stateOf marks what must be seen on every screen.
func stateOf(d view.DayView) string {
	out := d.State
	if d.Unproven {
		out += ", unproven"
	}
	if d.Hold {
		out += ", held"
	}
	return out
}

func printDay(w io.Writer, d view.DayDetail) {
	fmt.Fprintf(w, "%s %s  %s\n%d tickets, gross %s, tax %s. %s\n", d.Key.Location, d.Name, d.Key.Day, d.Tickets, d.Gross, d.Tax, strings.TrimSpace(stateOf(d.DayView)+" "+d.Why))
	for _, f := range d.Unbased {
		fmt.Fprintf(w, "  %s of tax %s have no base: the tills do not say which lines it is on. The tax is posted; a tax return finds no base for it in Odoo.\n", f.Amount, f.Label)
	}
	if d.Uncosted > 0 {
		fmt.Fprintf(w, "%d lines of goods have no cost that the tills told: the cost of goods in the books is too low by what they had cost.\n", d.Uncosted)
	}
	for _, p := range d.Proofs {
		mark := "missing"
		if p.Good {
			mark = "good"
		}
		fmt.Fprintf(w, "  proof %s of %s: %s (%s)\n", p.What, p.Source, p.Text, mark)
	}
	for _, doc := range d.Documents {
		fmt.Fprintf(w, "\nDocument %s %s, dated %s, %s %s %s\n", doc.ID, doc.Kind, datesOf(doc), doc.State, doc.Odoo.Entry, doc.Why)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, l := range doc.Lines {
			odoo := "–"
			if l.Known {
				odoo = l.Odoo.String()
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", l.Account, l.Label, l.Amount, odoo)
		}
		t.Flush()
	}
	if len(d.Pending) > 0 {
		fmt.Fprintln(w, "\nChanged since, goes with the next document")
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, l := range d.Pending {
			fmt.Fprintf(t, "%s\t%s\t%s\t\n", l.Account, l.Label, l.Amount)
		}
		t.Flush()
	}
	for _, k := range d.Cases {
		fmt.Fprintf(w, "\nCase %s\n  %s %s\n  %s\n", k.ID, k.Title+".", k.Means, k.Do)
	}
}

// datesOf words a document's accounting date, beside its own day when they differ.
func datesOf(d view.DocumentView) string {
	if d.Dated == d.Date {
		return string(d.Date)
	}
	s := fmt.Sprintf("%s instead of %s", d.Dated, d.Date)
	if d.Moved != "" {
		s += " (" + d.Moved + ")"
	}
	return s
}

// find takes an id, a number or a key to one ticket.
func (s *desk) find(ctx context.Context, what string) (view.TicketView, error) {
	rows, err := s.FindTickets(ctx, view.TicketFilter{Find: what, Limit: 10})
	if err != nil {
		return view.TicketView{}, err
	}
	if len(rows) == 1 {
		return s.Clerk.TicketView(ctx, rows[0].ID)
	}
	if len(rows) > 1 {
		var ids []string
		for _, r := range rows {
			ids = append(ids, fmt.Sprintf("%d (%s, %s)", r.ID, r.Location, r.Day))
		}
		return view.TicketView{}, fault.Msg(fault.Conflict, "find ticket", fmt.Sprintf("%q names %d tickets; give one of these ids: %s", what, len(rows), strings.Join(ids, ", ")))
	}
	kept, err := s.Kept(ctx, what, nil)
	if err != nil {
		return view.TicketView{}, err
	}
	if len(kept) > 0 {
		k := kept[0]
		return view.TicketView{}, fault.Msg(fault.NotFound, "find ticket", fmt.Sprintf("ticket %s is not booked: its record waits in a case. %s: %s See: hub case %q show", what, k.Title, k.Means, k.ID))
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(what, "id:"), 10, 64)
	if err != nil {
		return view.TicketView{}, fault.Msg(fault.NotFound, "find ticket", "there is no ticket "+what+" here; it may still wait on its store's PC: see hub locations for when the store was heard")
	}
	return s.Clerk.TicketView(ctx, id)
}

func (c *cli) ticket(ctx context.Context, s *desk, args []string) error {
	t, err := s.find(ctx, args[0])
	if err != nil {
		return err
	}
	return c.tell(t, func(w io.Writer) {
		fmt.Fprintf(w, "%s %s of till %s at %s, store-day %s, %s: %s\n", t.Kind, t.Number, t.Till, t.Location, t.Day, t.At.Format(time.RFC3339), t.Total)
		for _, p := range t.Postings {
			fmt.Fprintf(w, "  debit %s credit %s %s\n", p.Debit, p.Credit, p.Amount)
		}
		for _, p := range t.Places {
			fmt.Fprintf(w, "  %s of document %s (%s, Odoo %s), line %s on account %s\n", p.Amount, p.Document, p.State, p.Odoo.Entry, p.Label, p.Account)
		}
		for _, raw := range append(t.Shares, t.Raw) {
			fmt.Fprintf(w, "\nRaw record %d from %s, position %s, checksum %s\n%s\n", raw.Envelope, raw.Device, raw.Position, raw.Sum, raw.Body)
		}
		if t.Decoding != "" {
			fmt.Fprintln(w, t.Decoding)
		}
	})
}
