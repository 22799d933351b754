package mapping

import (
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/hub/ledger"
)

// Dimension reports whether a role says who or where, and not which measure.
func Dimension(r ledger.Role) bool {
	switch r {
	case Location, Station, Employee, Category:
		return true
	}
	return false
}

// Check says what is wrong with a rule by itself; nil = nothing.
func (r Rule) Check() error {
	switch {
	case !r.Role.Known() && !Dimension(r.Role):
		return fmt.Errorf("there is no role %q", r.Role)
	case r.Code == "" && (Dimension(r.Role) || r.Role.Coded()):
		return fmt.Errorf("role %s needs a code, or * for all", r.Role)
	case r.From != "" && !r.From.Valid():
		return fmt.Errorf("from %q is not a date like 2026-12-01", r.From)
	}
	if Dimension(r.Role) {
		return r.checkDimension()
	}
	t := r.Target
	switch {
	case t.Account == "" && t.Tax == "":
		return errors.New("it names neither an account nor a tax")
	case t.Company != "" || t.Warehouse != "":
		return errors.New("company and warehouse are a location's: make a rule of role location")
	case r.Role != ledger.Tender && (t.Journal != "" || t.Method != ""):
		return errors.New("journal and method are a tender's; the journal of entries is a location's")
	case t.Method != "" && t.Journal == "":
		return errors.New("a payment method needs the journal that has it")
	}
	return nil
}

func (r Rule) checkDimension() error {
	t := r.Target
	switch {
	case t.Account != "" || t.Tax != "" || t.Label != "" || t.Method != "":
		return fmt.Errorf("a rule of role %s says what stands beside a line; accounts, taxes, labels and methods belong to the measure's own rule", r.Role)
	case r.Role == Location && r.Location != "":
		return errors.New("a rule of role location names the location as its code alone")
	case r.Role == Location && t == (Target{}):
		return errors.New("it names no analytic account, journal, company or warehouse")
	case r.Role != Location && (t.Journal != "" || t.Company != "" || t.Warehouse != ""):
		return errors.New("journal, company and warehouse are a location's: make a rule of role location")
	case r.Role != Location && len(Names(t.Analytic)) == 0 && t.Analytic != None:
		return fmt.Errorf("it names no analytic account; %q ends what stood there", None)
	}
	return nil
}
