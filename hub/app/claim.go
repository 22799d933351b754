package app

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/shared/fault"
)

// claimOf names a company's claim among the hub's own; the settings' company has the lane's.
func claimOf(lane, company string) string {
	if company == "" {
		return lane
	}
	return lane + ", company " + company
}

// companies are those that locations name and whose books are in one database.
func (a *App) companies(ctx context.Context, database string) (out []string, err error) {
	ls, err := placesOf(ctx, a.Store)
	for _, l := range ls {
		if l.Company != "" && a.Config.Odoo.bookOf(l) == database && !slices.Contains(out, l.Company) {
			out = append(out, l.Company)
		}
	}
	return out, err
}

// claimed is how one company's claim stands.
type claimed struct {
	Database string `json:"database,omitempty"` // as the settings call it, "" = the first
	Company  string `json:"company,omitempty"`  // as locations name it, "" = the settings' own
	URL      string `json:"url"`
	Here     string `json:"here"`              // as the running hub saw it last
	Held     string `json:"held"`              // who holds it in Odoo now
	Wants    string `json:"wants"`             // who is or was held back by it
	Ordered  string `json:"ordered,omitempty"` // whose word to take it over is still to be carried out
}

// claimCommand shows which hub posts to the books, or makes it this one.
func (c *cli) claimCommand() *cobra.Command {
	take, database, company := false, "", ""
	cmd := c.on("claim", "which hub posts to these books; --take-over makes it this one", 0, func(ctx context.Context, s *desk, _ []string) error {
		if take {
			return c.takeOver(ctx, s, database, company)
		}
		ls, err := placesOf(ctx, s.Store)
		if err != nil {
			return err
		}
		var all []claimed
		for _, b := range booksOf(s.cfg.Odoo, ls) {
			client, err := OpenOdoo(b.cfg)
			if err != nil {
				return err
			}
			k := claimed{Database: b.name, URL: b.cfg.URL}
			if b.further {
				k.Company = b.cfg.Company
			}
			name := claimOf((&lane{name: b.name}).connection(), k.Company)
			if k.Here, err = s.ClaimStands(ctx, name); err != nil {
				return err
			}
			if k.Ordered, err = s.ClaimOrdered(ctx, name); err != nil {
				return err
			}
			held, wants, err := odoo.ReadClaim(ctx, client)
			if err != nil {
				return err
			}
			k.Held, k.Wants = nameOf(held), nameOf(wants)
			all = append(all, k)
		}
		return c.tell(oneOrAll(all), func(w io.Writer) {
			for _, k := range all {
				where := k.URL
				if k.Company != "" {
					where += ", company " + k.Company
				}
				fmt.Fprintf(w, "Odoo at %s: the claim is %s.\n", where, orNobody(k.Held))
				if k.Wants != "" {
					fmt.Fprintf(w, "  wanted by %s (it may have stopped since)\n", k.Wants)
				}
				if k.Ordered != "" {
					fmt.Fprintf(w, "  to be taken over, as soon as the hub here runs (%s)\n", k.Ordered)
				}
				if k.Here != "" {
					fmt.Fprintf(w, "  this hub saw it last as %s\n", k.Here)
				}
			}
		})
	})
	cmd.Flags().BoolVar(&take, "take-over", false, "this hub posts from now on, and the one that holds the claim is held; with --reason")
	cmd.Flags().StringVar(&database, "database", "", "which of the settings' further databases; empty: the first")
	cmd.Flags().StringVar(&company, "company", "", "which of the companies that locations name; empty: the settings' own")
	return cmd
}

func (c *cli) takeOver(ctx context.Context, s *desk, database, company string) error {
	ls, err := placesOf(ctx, s.Store)
	if err != nil {
		return err
	}
	for _, b := range s.cfg.Odoo.all() {
		if b.name != database {
			continue
		}
		if company == b.cfg.Company {
			company = ""
		}
		if company != "" && !slices.ContainsFunc(ls, func(l odoo.Location) bool { return l.Company == company && s.cfg.Odoo.bookOf(l) == database }) {
			return fault.Msg(fault.NotFound, "take the claim over", fmt.Sprintf("no location posts to a company %q in this database", company))
		}
		if company, err = c.unlessOwn(ctx, b, company); err != nil {
			return err
		}
		if err := s.TakeOver(ctx, claimOf((&lane{name: b.name}).connection(), company), s.who, c.reason); err != nil {
			return err
		}
		return c.done("The running hub takes the claim at its next look, within half a minute; the other one is held and told.")
	}
	return fault.Msg(fault.NotFound, "take the claim over", fmt.Sprintf("the settings name no Odoo database %q", database))
}

// unlessOwn is the company as its claim is named: "" where it is the one that Odoo's user works in and the settings name none, for that one's claim is the settings' own.
func (c *cli) unlessOwn(ctx context.Context, b database, company string) (string, error) {
	if company == "" || b.cfg.Company != "" {
		return company, nil
	}
	client, err := OpenOdoo(b.cfg)
	if err != nil {
		return "", err
	}
	own, err := odoo.CompanyOf(ctx, client)
	if err != nil {
		return "", fault.New(fault.CodeOf(err), fmt.Sprintf("take the claim over: whether %q is the settings' own company is Odoo's to say. Nothing was ordered; try again", company), err)
	}
	if own == company {
		return "", nil
	}
	return company, nil
}

func nameOf(k odoo.Claim) string {
	if k.Free() {
		return ""
	}
	return fmt.Sprintf("hub %s at %s", k.Hub, k.Name)
}

func orNobody(s string) string {
	if s == "" {
		return "nobody's"
	}
	return "held by " + s
}
