package app

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/shadow"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// shadowWithin is how long a comparison may take: a month of some hundreds of stores is two hundred pages of items.
const shadowWithin = 2 * time.Minute

// ShadowReport compares days that run beside the books with what stands in them; it only reads.
func (a *App) ShadowReport(ctx context.Context, f view.ReviewFilter) (view.ShadowReport, error) {
	return shadows{a.Store, a.Config.Odoo}.ShadowReport(ctx, f)
}

// shadows compares days that run beside the books with what stands in them. It only reads.
type shadows struct {
	store *store.Store
	books OdooConfig
}

// ShadowReport implements web.Shadow. Each location is compared with the books that it posts to: its own database and company. Books that do not
// answer leave out their own locations and say so; an error means that none did.
func (s shadows) ShadowReport(ctx context.Context, f view.ReviewFilter) (out view.ShadowReport, err error) {
	sheets, err := s.store.ShadowSheets(ctx, f)
	if err != nil || len(sheets) == 0 {
		return out, err
	}
	hub, err := s.store.HubID(ctx)
	if err != nil {
		return out, err
	}
	ls, err := s.store.LocationViews(ctx, view.LocationFilter{Only: f.Only})
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(ctx, shadowWithin)
	defer cancel()
	var days []shadow.Day
	var items []shadow.Item
	var notes []string
	read, open := 0, 0
	for _, part := range shadowParts(s.books, ls, sheets) {
		q := odoo.OldQuery{Hub: hub, From: f.From, To: f.To, Journals: part.journals}
		old, rerr := readOld(ctx, part.cfg, q)
		if fault.Is(rerr, fault.Invalid) {
			return out, rerr
		}
		if rerr != nil {
			err = rerr
			notes = append(notes, fmt.Sprintf("The books of %s cannot be read, and their locations (%s) are left out: %v.", part.cfg.place(), codes(part.journals), rerr))
			continue
		}
		read, open = read+1, open+old.Open
		for _, sheet := range part.sheets {
			d := shadow.Day{Key: sheet.Key, State: sheet.State, Currency: sheet.Currency}
			for _, l := range sheet.Lines {
				d.Lines = append(d.Lines, shadow.Line{Account: old.Account(l), Label: l.Label, Minor: l.Amount.Minor})
			}
			days = append(days, d)
		}
		for _, it := range old.Items {
			items = append(items, shadow.Item(it))
		}
	}
	if read == 0 && err != nil {
		return out, err
	}
	out = shadow.Compare(days, items)
	if open > 0 {
		notes = append(notes, fmt.Sprintf("%d items of the old way stand in entries for several locations and name none themselves, so that they are in nobody's sum. "+
			"Give the location a journal of its own to compare with (old_journal), or name its analytic account on them.", open))
	}
	out.Note = strings.Join(notes, " ")
	return out, nil
}

// shadowPart is what is compared with one company's books.
type shadowPart struct {
	cfg      OdooConfig
	journals map[retail.LocationCode]string
	sheets   []view.SheetView
}

// shadowParts parts days by the books that their locations post to.
func shadowParts(cfg OdooConfig, ls []view.LocationView, sheets []view.SheetView) (out []shadowPart) {
	days, oldWay := map[retail.LocationCode][]view.SheetView{}, map[retail.LocationCode]string{}
	for _, sheet := range sheets {
		days[sheet.Key.Location] = append(days[sheet.Key.Location], sheet)
	}
	var places []odoo.Location
	for _, l := range ls {
		if days[l.Code] != nil {
			places, oldWay[l.Code] = append(places, odoo.Location{Code: l.Code, Company: l.Company}), l.OldWay
		}
	}
	for _, b := range booksOf(cfg, places) {
		part := shadowPart{cfg: b.cfg, journals: map[retail.LocationCode]string{}}
		for _, l := range b.locations {
			part.journals[l.Code] = oldWay[l.Code]
			part.sheets = append(part.sheets, days[l.Code]...)
		}
		if len(part.sheets) > 0 {
			out = append(out, part)
		}
	}
	return out
}

// place names books for people.
func (o OdooConfig) place() string {
	if o.Company == "" {
		return o.URL
	}
	return "company " + o.Company + " at " + o.URL
}

func codes(of map[retail.LocationCode]string) string {
	var out []string
	for l := range of {
		out = append(out, string(l))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func readOld(ctx context.Context, books OdooConfig, q odoo.OldQuery) (odoo.Old, error) {
	c, err := OpenOdoo(books)
	if err != nil {
		return odoo.Old{}, fault.New(fault.Unavailable, "compare with the old way", err)
	}
	old, err := odoo.OldWay(ctx, c, q)
	if err != nil && !fault.Is(err, fault.Invalid) {
		err = fault.New(fault.Unavailable, "compare with the old way", err)
	}
	return old, err
}

func (c *cli) shadowCommand() *cobra.Command {
	f, asCSV := view.ReviewFilter{}, false
	cmd := c.on("shadow [LOCATION]", "compare days that are not posted with what the old way has in Odoo, account by account; changes nothing", 0, func(ctx context.Context, s *desk, args []string) error {
		if len(args) > 0 {
			f.Location = retail.LocationCode(args[0])
		}
		if f.To == "" {
			f.To = retail.DateOf(time.Now())
		}
		if f.From == "" && f.To.Valid() {
			f.From = f.To.AddDays(-13)
		}
		if !f.From.Valid() || !f.To.Valid() {
			return fault.Msg(fault.Invalid, "shadow", "a day is written like 2026-11-23")
		}
		rep, err := shadows{s.Store, s.cfg.Odoo}.ShadowReport(ctx, f)
		if err != nil {
			return err
		}
		if asCSV {
			return shadowCSV(c.out, rep)
		}
		return c.tell(rep, func(w io.Writer) { printShadow(w, rep) })
	})
	cmd.Args = cobra.MaximumNArgs(1)
	cmd.Flags().Var((*date)(&f.From), "from", "first day; without it two weeks up to the last")
	cmd.Flags().Var((*date)(&f.To), "to", "last day; without it today")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "answer in CSV, a line per account")
	cmd.Example = "  hub shadow S-17 --from 2026-11-01 --to 2026-11-30"
	return cmd
}

func printShadow(w io.Writer, rep view.ShadowReport) {
	for _, d := range rep.Days {
		words := "agrees to the cent"
		switch {
		case d.Missing:
			words = "the old way has no entry"
		case !d.Difference.IsZero():
			words = d.Difference.String() + " differ"
		}
		fmt.Fprintf(w, "%s %s (%s): %s  %s\n", d.Location, d.Day, d.State, words, strings.Join(d.Entries, ", "))
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, l := range d.Lines {
			fmt.Fprintf(t, "    %s\t%s\t%s\t%s\t%s\t\n", l.Account, l.Label, l.Ours.Decimal(), l.Theirs.Decimal(), l.Difference.Decimal())
		}
		t.Flush()
	}
	fmt.Fprintf(w, "%d of %d store-days agree to the cent. Columns: account, lines, Tillpost, old way, difference; debit is positive.\n", rep.Same, len(rep.Days))
	if rep.Note != "" {
		fmt.Fprintln(w, rep.Note)
	}
}

func shadowCSV(w io.Writer, rep view.ShadowReport) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"day", "location", "state", "account", "label", "currency", "tillpost", "old way", "difference", "old entries"})
	for _, d := range rep.Days {
		for _, l := range d.Lines {
			_ = out.Write([]string{string(d.Day), plain(string(d.Location)), d.State, plain(l.Account), plain(l.Label), string(l.Ours.Currency), l.Ours.Decimal(), l.Theirs.Decimal(), l.Difference.Decimal(), plain(strings.Join(d.Entries, ", "))})
		}
	}
	out.Flush()
	return out.Error() // keeps the first fault of all lines
}

// plain makes a cell that a spreadsheet would run as a formula a text.
func plain(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}
