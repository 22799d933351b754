package odoo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/plan"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// SetupOptions is what head office has.
type SetupOptions struct {
	Locations map[retail.LocationCode]string // code → name
	Tenders   []string                       // tender types that get a clearing account each
	Taxes     []string                       // the tills' jurisdictions
	Banks     []string                       // short names of the bank accounts, which get an account each for what is on its way there
	Have      mapping.Set                    // rules that are in force: they are never changed
	DryRun    bool
	Fields    bool                  // make the field that carries the vendor's ids, see ExternalField
	Receipts  []retail.LocationCode // those whose days go as receipts or invoices: they need a sales journal and a walk-in customer each

	// What head office wants used instead of something new. It must exist.
	Journal  string            // code of a general journal
	Accounts map[string]string // "tender:cash", "sales:*", "suspense" → account code
	Books    rollup.Books      // of a company that was set up before: the next one gets the same codes, since rules name codes
	TaxNames map[string]string // jurisdiction → name of the Odoo tax
}

// Step is one thing that setup found or made.
type Step struct {
	What string `json:"what"`
	Done string `json:"done"` // "there", "made", "would be made"
}

// SetupReport tells what was found and made.
type SetupReport struct {
	Version string         `json:"version"`
	Company string         `json:"company"`
	Missing []string       `json:"missing_rights,omitempty"`
	Steps   []Step         `json:"steps"`
	Rules   []mapping.Rule `json:"-"` // to be stored by the caller
	Books   rollup.Books   `json:"books"`
}

// Journal is the code of the journal that setup makes.
const Journal = "TPOS"

// SalesJournal is the code of the one for receipts and invoices.
const SalesJournal = plan.OwnSales

// planName is the analytic plan with one account per location.
const planName = "Locations"

// setup is one run.
type setup struct {
	SetupOptions
	c    *Client
	ch   *chart
	rep  *SetupReport
	used map[string]bool // account codes
	dry  bool            // look only
	off  bool            // analytic accounting is off, and this is a dry run
	todo []right         // what a dry run found missing

	taxAccount string            // "" = not looked for yet
	byName     map[string]string // accounts made by an earlier run: name → code
	manuals    map[string]int64  // see manual
}

// Setup connects, tells the version and the missing rights, and finds or makes what the books need: analytic accounting, journal,
// accounts, taxes, a plan with one analytic account per location. It looks at everything before it makes anything, so it may be run again
// and again, and a user who lacks a right for something that is missing changes nothing at all; rules that exist are left alone. Code
// unavailable or invalid, as the call that failed.
func Setup(ctx context.Context, c *Client, o SetupOptions) (rep SetupReport, err error) {
	v, err := c.Version(ctx)
	if err != nil {
		return rep, err
	}
	if rep.Version = v.Text; v.Major < 17 || v.Major > 19 {
		return rep, fault.Msg(fault.Invalid, "odoo setup", "this is Odoo "+v.Text+"; Tillpost writes to 17, 18 and 19")
	}
	seen := slices.DeleteFunc(slices.Clone(needs), func(r right) bool { return strings.HasPrefix(r.model, "account.analytic.") }) // setup can turn that on
	if rep.Missing, err = c.lacking(ctx, seen); err != nil {
		return rep, err
	}
	if len(rep.Missing) > 0 {
		return rep, lackOf(rep.Missing)
	}
	plan := &setup{SetupOptions: o, c: c, rep: &rep, used: map[string]bool{}, dry: true}
	if err := plan.run(ctx); err != nil {
		return rep, err
	}
	if rep.Missing, err = c.lacking(ctx, plan.todo); err != nil || o.DryRun {
		return rep, err
	}
	if len(rep.Missing) > 0 {
		return rep, lackOf(rep.Missing)
	}
	rep = SetupReport{Version: rep.Version}
	return rep, (&setup{SetupOptions: o, c: c, rep: &rep, used: map[string]bool{}}).run(ctx)
}

func lackOf(missing []string) error {
	return fault.Msg(fault.Invalid, "odoo setup", "rights are missing, and nothing was changed: "+strings.Join(missing, "; ")+". Then run it again")
}

func (s *setup) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.analyticOn, s.open, s.journal, s.accounts, s.taxes, s.locations, s.receipts, s.payments, s.fields} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *setup) open(ctx context.Context) (err error) {
	if s.ch, err = readChart(ctx, s.c, books{name: s.c.cfg.Company}); err != nil {
		return err
	}
	s.rep.Company = s.ch.name
	for code := range s.ch.accounts {
		s.used[code] = true
	}
	return nil
}

// make runs create, or in a dry run notes what it would take.
func (s *setup) make(ctx context.Context, what, model string, values map[string]any) (int64, error) {
	if s.dry {
		s.rep.Steps = append(s.rep.Steps, Step{what, "would be made"})
		if r := (right{model, "create"}); !slices.Contains(s.todo, r) && !s.off {
			s.todo = append(s.todo, r)
		}
		return 0, nil
	}
	in := map[string]any{"context": map[string]any{}}
	if s.ch != nil {
		in["context"] = s.ch.in()
	}
	got, err := s.c.Call(ctx, model, "create", []any{[]any{values}}, in)
	if err != nil {
		return 0, fmt.Errorf("make %s: %w", what, err)
	}
	s.rep.Steps = append(s.rep.Steps, Step{what, "made"})
	if made := ids(got); len(made) == 1 {
		return made[0], nil
	}
	return id(got), nil
}

func (s *setup) change(ctx context.Context, what, model string, id int64, values map[string]any) error {
	if s.dry {
		s.rep.Steps = append(s.rep.Steps, Step{what, "would be changed"})
		if r := (right{model, "write"}); !slices.Contains(s.todo, r) {
			s.todo = append(s.todo, r)
		}
		return nil
	}
	if _, err := s.c.Call(ctx, model, "write", []any{[]int64{id}, values}, map[string]any{"context": s.ch.in()}); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	s.rep.Steps = append(s.rep.Steps, Step{what, "changed"})
	return nil
}

func (s *setup) there(what string) { s.rep.Steps = append(s.rep.Steps, Step{what, "there"}) }

// analyticOn turns analytic accounting on when it is not: without it even an administrator may not see analytic accounts.
func (s *setup) analyticOn(ctx context.Context) error {
	_, err := s.c.search(ctx, "account.analytic.plan", []any{}, []string{"name"}, nil)
	if KindOf(err) != Rights {
		if err == nil {
			s.there("analytic accounting")
		}
		return err
	}
	n, err := s.make(ctx, "analytic accounting", "res.config.settings", map[string]any{"group_analytic_accounting": true})
	if err != nil || s.dry {
		s.off = true
		return err
	}
	_, err = s.c.Call(ctx, "res.config.settings", "execute", []any{[]int64{n}}, nil)
	return err
}

func (s *setup) journal(ctx context.Context) error {
	code := Journal
	if s.Journal != "" {
		code = s.Journal
	}
	s.rep.Books.Journal = code
	what := "journal " + code
	j, ok := s.ch.journals[code]
	switch {
	case ok && j.kind != "general":
		return fault.Msg(fault.Invalid, "odoo setup", "Odoo's journal "+code+" is of type "+j.kind+"; store-days need a general one: name another with --journal")
	case ok:
		s.there(what)
		return nil
	case s.Journal != "":
		return fault.Msg(fault.Invalid, "odoo setup", "Odoo has no journal with the code "+code+": make it there, or leave --journal out and a new one is made")
	}
	_, err := s.make(ctx, what, "account.journal", map[string]any{"name": "Tillpost store-days", "code": code, "type": "general", "company_id": s.ch.company})
	return err
}

// locations makes one analytic account per location, whose code is the location's.
func (s *setup) locations(ctx context.Context) error {
	var plans []map[string]any
	var err error
	if !s.off {
		plans, err = s.c.search(ctx, "account.analytic.plan", []any{[]any{"name", "=", planName}}, []string{"name"}, s.ch.in())
	}
	if err != nil {
		return err
	}
	var plan int64
	if len(plans) > 0 {
		plan = id(plans[0]["id"])
		s.there("analytic plan " + planName)
	} else if plan, err = s.make(ctx, "analytic plan "+planName, "account.analytic.plan", map[string]any{"name": planName}); err != nil {
		return err
	}
	for code, name := range s.Locations {
		if _, ok := s.ch.analytic[code]; ok {
			s.there("analytic account " + string(code))
			continue
		}
		if name == "" {
			name = string(code)
		}
		if _, err := s.make(ctx, "analytic account "+string(code), "account.analytic.account",
			map[string]any{"name": name, "code": string(code), "plan_id": plan, "company_id": s.ch.company}); err != nil {
			return err
		}
	}
	return nil
}
