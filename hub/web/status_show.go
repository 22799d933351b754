package web

import (
	"context"
	"net/http"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
)

// Statuses reads and sets what statuses of tickets and payments mean in Odoo. Code invalid for a meaning that there is none of, and without a reason.
type Statuses interface {
	Meanings(ctx context.Context) ([]rollup.Meaning, error)
	SetMeaning(ctx context.Context, m rollup.Meaning, who, reason string) error
	MeaningSteps(ctx context.Context) ([]view.StepView, error)
}

type statusPage struct {
	Table    []rollup.Meaning
	Moves    []rollup.MoveState
	Payments []rollup.PaymentState
	Steps    []view.StepView
	Sets     bool // the user may change it: it concerns every store
}

func (s *site) statusShow(w http.ResponseWriter, r *http.Request, v *visit) (err error) {
	p := statusPage{Moves: []rollup.MoveState{rollup.MovePosted, rollup.MoveHeld, rollup.MoveCounter}, Payments: []rollup.PaymentState{rollup.PaymentPaid, rollup.PaymentOpen},
		Sets: v.may(deciders) && v.only() == nil}
	if p.Table, err = s.Statuses.Meanings(r.Context()); err != nil {
		return err
	}
	if v.only() == nil {
		if p.Steps, err = s.Statuses.MeaningSteps(r.Context()); err != nil {
			return err
		}
	}
	return s.render(w, r, v, http.StatusOK, "statuses", "What statuses mean in Odoo", p)
}

func (s *site) statusSet(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.only() != nil {
		return errRole
	}
	f := r.PostForm
	m := rollup.Meaning{Status: rollup.Status(f.Get("status")), Move: rollup.MoveState(f.Get("move")), Payment: rollup.PaymentState(f.Get("payment"))}
	if err := s.Statuses.SetMeaning(r.Context(), m, v.user.Name, f.Get("reason")); err != nil {
		return err
	}
	return s.done(w, r, "/statuses", "It means that from now on; what the books should say otherwise comes as documents of the difference.")
}

// moveText and payText word what a status means.
func moveText(m rollup.MoveState) string {
	switch m {
	case rollup.MoveHeld:
		return "no document yet; it waits for another status"
	case rollup.MoveCounter:
		return "no document; a posted one is taken back by a counter-document"
	}
	return "a posted receipt, invoice or credit note"
}

func payText(p rollup.PaymentState) string {
	if p == rollup.PaymentOpen {
		return "not booked; the document stays unpaid"
	}
	return "booked on the clearing account and matched"
}
