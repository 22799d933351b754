package web

import (
	"context"
	"net/http"
	"time"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// Payments reads card payments, settlement batches, and tenders that no payment belongs to.
type Payments interface {
	PaymentViews(ctx context.Context, f view.PaymentFilter) ([]view.PaymentView, error)
	LoneTenders(ctx context.Context, f view.PaymentFilter, slack time.Duration) ([]view.LoneTender, error)
	BatchViews(ctx context.Context, f view.PaymentFilter) ([]view.BatchView, error)
}

const (
	pagePayments = 300
	pageBatches  = 50
	lateMost     = 36 * time.Hour // a terminal that stored a payment offline sends it within the day
)

type paymentListPage struct {
	Filter   view.PaymentFilter
	Payments []view.PaymentView
	Lone     []view.LoneTender
	Batches  []view.BatchView
}

func paymentFilter(r *http.Request, v *visit) view.PaymentFilter {
	q := r.URL.Query()
	return view.PaymentFilter{Location: retail.LocationCode(q.Get("location")), From: retail.BusinessDate(q.Get("from")), To: retail.BusinessDate(q.Get("to")),
		Unmatched: q.Get("unmatched") != "", Only: v.only()}
}

func (s *site) paymentList(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := paymentListPage{Filter: paymentFilter(r, v)}
	f := p.Filter
	f.Limit = pagePayments
	var err error
	if p.Payments, err = s.Payments.PaymentViews(r.Context(), f); err != nil {
		return err
	}
	if p.Lone, err = s.Payments.LoneTenders(r.Context(), f, lateMost); err != nil {
		return err
	}
	f.Limit = pageBatches
	if p.Batches, err = s.Payments.BatchViews(r.Context(), f); err != nil {
		return err
	}
	return s.render(w, r, v, http.StatusOK, "payments", "Card payments", p)
}

func (s *site) paymentTable(r *http.Request, v *visit) (table, error) {
	f := paymentFilter(r, v)
	f.Limit = csvMost
	ps, err := s.Payments.PaymentViews(r.Context(), f)
	if err != nil {
		return table{}, err
	}
	t := table{Name: "payments", Head: []string{"time", "location", "till", "payment", "state", "brand", "last4", "amount", "tip", "currency", "batch", "ticket", "confidence", "difference", "why"}}
	for _, p := range ps {
		diff := any("")
		if p.Ticket != 0 {
			diff = p.Difference
		}
		t.Rows = append(t.Rows, []any{p.At.Format(time.RFC3339), string(p.Location), string(p.Till), p.Gateway, string(p.State), p.Brand, p.Last4, p.Amount, p.Tip,
			string(p.Amount.Currency), p.Batch, p.Number, p.Confidence, diff, p.Why})
	}
	return t, nil
}
