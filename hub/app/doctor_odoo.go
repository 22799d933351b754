package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/doctor"
	"github.com/tillpost/tillpost/shared/mode"
)

// odoo tries the books of each database.
func (x *examination) odoo(ctx context.Context, s *store.Store) {
	o := x.cfg.Odoo
	if o.URL == "" {
		x.Warn("Odoo", "the settings name none", "Nothing is posted.", "Fill in [odoo].")
		return
	}
	w, err := wantsOf(ctx, s, x.cfg.Posting.Journal)
	if err != nil {
		x.Bad("Odoo", err.Error(), waits, "")
		return
	}
	at := booksOf(o, w.locations)
	for _, d := range o.all() {
		if !x.login(ctx, s, d) {
			continue
		}
		for i, b := range slices.DeleteFunc(slices.Clone(at), func(b books) bool { return b.name != d.name }) {
			rep, err := w.check(ctx, b)
			if err != nil {
				x.Bad(d.title(), err.Error(), waits, "Correct what Odoo says; hub odoo check tells more.")
				continue
			}
			if i == 0 {
				x.keyEnd(rep.Key, d)
			}
			x.checked(rep, d)
		}
	}
}

// waits is what trouble with Odoo means.
const waits = "Store-days wait and none is lost."

// title is what a database is called among the findings.
func (d database) title() string { return strings.TrimSpace("Odoo " + d.name) }

// login tries address, clock, key and login of one database, and whether it is for tests.
func (x *examination) login(ctx context.Context, s *store.Store, d database) bool {
	o := d.cfg
	c, err := OpenOdoo(o)
	if err != nil {
		x.Bad(d.title(), err.Error(), waits, "Correct [odoo].")
		return false
	}
	if off, err := doctor.ServerTime(ctx, strings.TrimRight(o.URL, "/")+"/web/login"); err == nil {
		x.Add(doctor.Clock("clock", d.title()+"'s", off))
	} else {
		x.Warn("clock", d.title()+"'s time is not known: "+err.Error(), "", "Look again when Odoo answers.")
	}
	x.Add(doctor.SecretFile(d.title()+"'s key", o.KeyFile))
	if _, _, err := c.Login(ctx); err != nil {
		do := map[odoo.Kind]string{odoo.Denied: "Make a new API key for user " + o.User + " in Odoo and put it into " + o.KeyFile + "."}[odoo.KindOf(err)]
		if do == "" {
			do = "Check odoo.url and odoo.database, and that Odoo runs."
		}
		x.Bad(d.title(), err.Error(), waits, do)
		return false
	}
	x.mode(ctx, &lane{name: d.name, cfg: o, client: c}, s)
	return true
}

func (x *examination) keyEnd(k odoo.KeyEnd, d database) {
	what := d.title() + "'s key's end"
	switch {
	case k.Soon(time.Now()):
		x.Warn(what, k.String(), "From then on Odoo refuses us and store-days wait; none is lost.", "Make a new API key for user "+d.cfg.User+" in Odoo and put it into "+d.cfg.KeyFile+": it is read without a restart.")
	case k.Known:
		x.Good(what, "%s", k)
	default:
		x.Warn(what, k.String(), "Nobody is warned before Odoo refuses us.", "Set odoo.key_expires.")
	}
}

// checked tells what stands in the way of one company's documents.
func (x *examination) checked(rep odoo.CheckReport, d database) {
	books := d.title() + " books"
	for _, m := range rep.Missing {
		x.Bad(d.title()+" rights", "user "+d.cfg.User+" may not "+m, waits, "Give the group named.")
	}
	for _, m := range rep.Lacks {
		if m == "journal " {
			m = "a journal for store-days"
		}
		x.Bad(books, "Odoo lacks "+m, waits, "Run hub odoo setup; it is safe to run again.")
	}
	for _, m := range rep.Wrong {
		x.Bad(books, m, waits, "")
	}
	if rep.Locked != "" {
		x.Good(d.title()+" locks", "the books are closed up to %s", rep.Locked)
	}
	if rep.Good() {
		x.Good(d.title(), "%s, company %s, %s, answers in %s: store-days can be posted", rep.Version, rep.Company, rep.Currency, rep.Answer.Round(time.Millisecond))
	}
}

// mode looks whether the books are for tests or real, and whether the ledger fits them.
func (x *examination) mode(ctx context.Context, l *lane, s *store.Store) {
	if s == nil {
		return
	}
	a := &App{Config: x.cfg, Store: s}
	what := strings.TrimSpace("books " + l.name)
	j, err := a.judgeBooks(ctx, l)
	switch {
	case err != nil:
		x.Warn(what, err.Error(), "", "Set odoo.mode to test or production.")
	case j.why != "":
		x.Bad(what, j.why, "Nothing is posted until that is settled.", "See the case about it: hub cases.")
	default:
		x.Good(what, "they are %s", map[mode.Mode]string{mode.Test: "for tests", mode.Production: "real"}[j.is])
	}
}
