package mapping

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// columns of a rule in a CSV file, in this order when it is written; read by name in any.
var columns = []string{"role", "code", "location", "from", "account", "tax", "label", "journal", "method", "analytic", "company", "warehouse"}

// maxRules bounds a file: a chain of a thousand stores with fifty rules of its own each.
const maxRules = 50_000

// Columns are the columns of a rule in a CSV file.
func Columns() []string { return slices.Clone(columns) }

// Cells are a rule under its columns.
func (r Rule) Cells() []string {
	t := r.Target
	return []string{string(r.Role), r.Code, string(r.Location), string(r.From), t.Account, t.Tax, t.Label, t.Journal, t.Method, t.Analytic, t.Company, t.Warehouse}
}

// Write writes a set's rules as CSV, in a fixed order.
func (s Set) Write(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{Columns()}
	rules := slices.Clone(s.Rules)
	slices.SortFunc(rules, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Location, b.Location), cmp.Compare(a.From, b.From))
	})
	for _, r := range rules {
		rows = append(rows, r.Cells())
	}
	return out.WriteAll(rows)
}

// Read reads rules from CSV. The error lists everything that is wrong with the file; code invalid.
func Read(r io.Reader) ([]Rule, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if err != nil {
		return nil, fault.Msg(fault.Invalid, "read mapping", "the file has no heading")
	}
	at := map[string]int{}
	for i, name := range head {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	var wrong []error
	for _, name := range []string{"role", "code", "account"} {
		if _, ok := at[name]; !ok {
			wrong = append(wrong, fmt.Errorf("the column %q is missing; the columns are %s", name, strings.Join(columns, ", ")))
		}
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "read mapping", errors.Join(wrong...))
	}
	var out []Rule
	seen := map[Rule]int{}
	for line := 2; ; line++ {
		row, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil || line > maxRules {
			wrong = append(wrong, fmt.Errorf("row %d: %w", line, cmp.Or(err, errors.New("the file has too many rows"))))
			break
		}
		rule, err := ruleOf(row, at)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("row %d: %w", line, err))
			continue
		}
		key := Rule{Role: rule.Role, Code: rule.Code, Location: rule.Location, From: rule.From}
		if n := seen[key]; n > 0 {
			wrong = append(wrong, fmt.Errorf("row %d: it says the same thing as row %d", line, n))
			continue
		}
		seen[key] = line
		out = append(out, rule)
	}
	return out, fault.New(fault.Invalid, "read mapping", errors.Join(wrong...))
}

func ruleOf(row []string, at map[string]int) (r Rule, err error) {
	cell := func(name string) string {
		if i, ok := at[name]; ok && i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	r = Rule{Role: ledger.Role(cell("role")), Code: cell("code"), Location: retail.LocationCode(cell("location")), From: retail.BusinessDate(cell("from")),
		Target: Target{Account: cell("account"), Tax: cell("tax"), Label: cell("label"), Journal: cell("journal"), Method: cell("method"), Analytic: cell("analytic"),
			Company: cell("company"), Warehouse: cell("warehouse")}}
	return r, r.Check()
}
