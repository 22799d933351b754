package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

const (
	// askWithin is how long Odoo may take to say how records stand: a person waits, and what was read back last is shown instead.
	askWithin = 5 * time.Second
	findMost  = 50
)

// finder finds what an id names, and asks Odoo how its records stand now. It only reads.
type finder struct {
	store *store.Store
	books OdooConfig
}

// Find implements web.Finder. An Odoo that is away is no error: Found says so.
func (d finder) Find(ctx context.Context, f view.FindFilter) (view.Found, error) {
	found, err := d.store.Find(ctx, f)
	if err != nil || found.Find == "" {
		return found, err
	}
	ask, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if len(found.Things) == 0 {
		if err := d.search(ctx, ask, f, &found); err != nil {
			return found, err
		}
	}
	for _, b := range d.books.all() {
		if err := d.read(ask, b, &found); err != nil {
			found.Away = awayWords(b, err)
		}
	}
	return found, ctx.Err()
}

func awayWords(b database, err error) string {
	return fmt.Sprintf("Odoo at %s does not say how its records stand now (%v)", b.cfg.URL, err)
}

// read puts what a database says of its records now in the place of what was read back last.
func (d finder) read(ctx context.Context, b database, found *view.Found) error {
	var moves []int64
	for _, t := range found.Things {
		for _, doc := range t.Documents {
			if doc.Book == b.name && doc.Odoo.ID != 0 {
				moves = append(moves, doc.Odoo.ID)
			}
		}
	}
	if len(moves) == 0 || b.cfg.URL == "" {
		return nil
	}
	c, err := OpenOdoo(b.cfg)
	if err != nil {
		return err
	}
	now, err := odoo.Read(ctx, c, moves)
	if err != nil {
		return err
	}
	for i := range found.Things {
		for j := range found.Things[i].Documents {
			doc := &found.Things[i].Documents[j]
			if doc.Book != b.name || doc.Odoo.ID == 0 {
				continue
			}
			if r, there := now[doc.Odoo.ID]; there {
				doc.Odoo = recordOf(r)
			} else {
				doc.Odoo.State, doc.Odoo.URL, doc.Odoo.Seen = "deleted", "", time.Now()
			}
		}
	}
	return nil
}

func recordOf(r odoo.Record) view.OdooRecord {
	return view.OdooRecord{Model: odoo.Entries, ID: r.ID, Name: r.Name, State: r.State, Date: r.Date, Ref: r.Ref, URL: r.URL, Seen: time.Now()}
}

// search asks the databases themselves for an entry that is not known here by that name: it was numbered anew, or is another's. Of entries that
// Tillpost did not make only head office learns.
func (d finder) search(ctx, ask context.Context, f view.FindFilter, found *view.Found) error {
	hub, err := d.store.HubID(ctx)
	if err != nil {
		return err
	}
	for _, b := range d.books.all() {
		if b.cfg.URL == "" {
			continue
		}
		found.Looked = append(found.Looked, "entries in Odoo at "+b.cfg.URL+", by number, id and reference")
		got, err := entriesIn(ask, b.cfg, found.Find)
		if err != nil {
			found.Away = awayWords(b, err)
			continue
		}
		for _, r := range got {
			if err := d.add(ctx, hub, f, r, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// add takes an entry that Odoo knows in: by its document, when this hub made it.
func (d finder) add(ctx context.Context, hub envelope.HubID, f view.FindFilter, r odoo.Record, found *view.Found) error {
	if id, own, ok := odoo.DocumentOf(hub, r.Ref); ok && own {
		f.Find = id
		known, err := d.store.Find(ctx, f)
		found.Things = append(found.Things, known.Things...)
		return err
	}
	if f.Only == nil {
		found.Things = append(found.Things, view.FoundThing{Kind: "odoo entry", ID: fmt.Sprint(odoo.Entries, "/", r.ID), Text: "not made by this hub", Records: []view.OdooRecord{recordOf(r)}})
	}
	return nil
}

func entriesIn(ctx context.Context, cfg OdooConfig, what string) ([]odoo.Record, error) {
	c, err := OpenOdoo(cfg)
	if err != nil {
		return nil, err
	}
	model, id, ok := odoo.ParseRecord(what)
	switch {
	case ok && model == odoo.Entries:
		now, err := odoo.Read(ctx, c, []int64{id})
		if r, there := now[id]; there {
			return []odoo.Record{r}, err
		}
		return nil, err
	case ok:
		return nil, nil
	}
	return odoo.Search(ctx, c, what)
}

func (c *cli) findCommand() *cobra.Command {
	cmd := c.on("find ID", "find what a number or id names, and where it stands in Odoo; and the reverse", 1, func(ctx context.Context, s *desk, args []string) error {
		found, err := finder{s.Store, s.cfg.Odoo}.Find(ctx, view.FindFilter{Find: args[0], Limit: findMost})
		if err != nil {
			return err
		}
		if len(found.Things) == 0 {
			nothing := fault.Msg(fault.NotFound, "find", fmt.Sprintf("nothing here is called %q", found.Find))
			if c.json {
				return errors.Join(c.encode(found), errQuiet)
			}
			printLooked(c.out, found)
			return nothing
		}
		return c.tell(found, func(w io.Writer) { printFound(w, found) })
	})
	cmd.Long = "Find what a number or id names: a ticket (receipt number, vendor's id; also one whose record waits in a case), a card payment (the gateway's number), a settlement batch, a deposit or dispute, a customer, " +
		"a document or store-day of Tillpost, or an entry in Odoo (id, number, reference or its page's address). Each match is shown with the tickets behind it and its records in Odoo."
	cmd.Example = "  hub find 100234\n  hub find S-17/2026-11-20/1\n  hub find account.move/123\n  hub find TPOS/2026/11/0001"
	return cmd
}

func printLooked(w io.Writer, f view.Found) {
	fmt.Fprintf(w, "Nothing is called %q. Looked at:\n", f.Find)
	for _, l := range f.Looked {
		fmt.Fprintf(w, "  %s\n", l)
	}
	if f.Away != "" {
		fmt.Fprintln(w, f.Away+".")
	}
	fmt.Fprintln(w, "A ticket may still wait on its store's PC: `hub locations` says when each store was heard.")
}

func printFound(w io.Writer, f view.Found) {
	if len(f.Things) > 1 {
		fmt.Fprintf(w, "%q names %d things.\n", f.Find, len(f.Things))
	}
	for _, t := range f.Things {
		fmt.Fprintln(w, strings.TrimSpace(strings.Join([]string{t.Kind, t.ID, string(t.Location), string(t.Day)}, "  ")))
		fmt.Fprintf(w, "    %s\n", t.Text)
		if len(t.Rests) > 0 {
			fmt.Fprintf(w, "    rests on %s\n", strings.Join(t.Rests, ", "))
		}
		for _, d := range t.Documents {
			printDocument(w, d)
		}
		for _, r := range t.Records {
			fmt.Fprintf(w, "    %s\n", recordWords(r))
		}
		if t.Kind == "case" {
			fmt.Fprintf(w, "    to decide it: hub case %q show\n", t.ID)
		} else if len(t.Documents)+len(t.Records) == 0 {
			fmt.Fprintln(w, "    it stands in no document yet")
		}
		for _, k := range t.Tickets {
			fmt.Fprintf(w, "    ticket %s (id:%d)  %s  %s %s  %s\n", k.Number, k.ID, k.At.UTC().Format(time.DateTime), k.Location, k.Till, k.Total)
		}
		if t.Count > len(t.Tickets) {
			fmt.Fprintf(w, "    and %d tickets more\n", t.Count-len(t.Tickets))
		}
	}
	if f.Away != "" {
		fmt.Fprintln(w, f.Away+": shown as it was read back last.")
	}
}

func printDocument(w io.Writer, d view.FoundDocument) {
	fmt.Fprintf(w, "    document %s, %s: ", d.ID, d.State)
	if d.Odoo.ID == 0 {
		fmt.Fprintln(w, strings.TrimSpace("not in Odoo. "+d.Why))
		return
	}
	fmt.Fprintln(w, recordWords(d.Odoo))
}

func recordWords(r view.OdooRecord) string {
	s := fmt.Sprintf("%s/%d", r.Model, r.ID)
	for _, part := range []string{r.Name, r.State, string(r.Date), r.URL} {
		if part != "" {
			s += "  " + part
		}
	}
	return s
}
