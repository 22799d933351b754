package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// Settlement reads what happened to takings after the tills.
type Settlement interface {
	Vouchers(ctx context.Context, f view.VoucherFilter) ([]view.VoucherView, error)
	BankLines(ctx context.Context, f view.BankFilter) ([]view.BankLine, error)
	OpenClearings(ctx context.Context) ([]view.Clearing, error)
}

const pageVouchers = 300

type settlementPage struct {
	Filter   view.VoucherFilter
	Vouchers []view.VoucherView
	Open     []view.BankLine
	Clearing []view.Clearing
	Bank     bool // the user sees every line that stands in no entry; else all lines of his stores
}

func voucherFilter(r *http.Request) view.VoucherFilter {
	q := r.URL.Query()
	return view.VoucherFilter{Location: retail.LocationCode(q.Get("location")), From: retail.BusinessDate(q.Get("from")), To: retail.BusinessDate(q.Get("to"))}
}

// vouchers are those that the user may see.
func (s *site) vouchers(r *http.Request, v *visit, most int) ([]view.VoucherView, error) {
	f := voucherFilter(r)
	if v.only() == nil {
		f.Limit = most
	}
	all, err := s.Settlement.Vouchers(r.Context(), f)
	if v.only() != nil {
		all = slices.DeleteFunc(all, func(x view.VoucherView) bool { return !slices.Contains(v.only(), x.Location) })
		all = all[:min(len(all), most)]
	}
	return all, err
}

// sortedMeasures are a voucher's measures in a fixed order.
func sortedMeasures(x view.VoucherView) []ledger.Account { return slices.Sorted(maps.Keys(x.Totals)) }

func (s *site) settlementShow(w http.ResponseWriter, r *http.Request, v *visit) (err error) {
	p := settlementPage{Filter: voucherFilter(r), Bank: v.only() == nil}
	if p.Vouchers, err = s.vouchers(r, v, pageVouchers); err != nil {
		return err
	}
	if p.Clearing, err = s.Settlement.OpenClearings(r.Context()); err != nil {
		return err
	}
	p.Clearing = slices.DeleteFunc(p.Clearing, func(c view.Clearing) bool {
		return v.only() != nil && !slices.Contains(v.only(), c.Location) || p.Filter.Location != "" && c.Location != p.Filter.Location
	})
	lines := view.BankFilter{From: p.Filter.From, To: p.Filter.To, Open: p.Bank, Limit: pageVouchers, Only: v.only()}
	if lines.Only != nil && p.Filter.Location != "" {
		lines.Only = slices.DeleteFunc(slices.Clone(lines.Only), func(l retail.LocationCode) bool { return l != p.Filter.Location })
	}
	if p.Open, err = s.Settlement.BankLines(r.Context(), lines); err != nil {
		return err
	}
	return s.render(w, r, v, http.StatusOK, "settlement", "Settlement", p)
}

func (s *site) settlementTable(r *http.Request, v *visit) (table, error) {
	all, err := s.vouchers(r, v, csvMost)
	t := table{Name: "settlement", Head: []string{"day", "location", "voucher", "kind", "what", "state", "odoo entry", "account", "amount", "currency", "rests on"}}
	for _, x := range all {
		for _, a := range sortedMeasures(x) {
			m := x.Totals[a]
			t.Rows = append(t.Rows, []any{string(x.Day), string(x.Location), x.Series, string(x.Kind), x.Text, x.State, x.Entry, string(a), m, string(m.Currency), strings.Join(x.From, ", ")})
		}
	}
	return t, err
}
