package odoo

import (
	"context"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
)

// ExternalField is the field of Odoo that carries the vendor's own id, where head office has let setup make it.
const ExternalField = "x_external_id"

// marked are the models that it can be made on. What Tillpost itself writes is filled: entries with the ticket's id or the document's, partners with the
// customer's; orders are other programs' to fill.
var marked = []string{"account.move", "res.partner", "sale.order"}

// marks asks whether a model has the field; installed = the model is there at all.
func (c *Client) marks(ctx context.Context, model string) (has, installed bool, err error) {
	got, err := c.Call(ctx, model, "fields_get", []any{[]string{ExternalField}}, map[string]any{"attributes": []string{"type"}})
	if KindOf(err) == Refused || KindOf(err) == Rights || KindOf(err) == Broken { // no such model, or out of the user's sight
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	m, _ := got.(map[string]any)
	f, has := m[ExternalField].(map[string]any)
	if kind := text(f["type"]); has && kind != "char" {
		return false, true, fault.Msg(fault.Invalid, "odoo setup", fmt.Sprintf("Odoo's field %s on %s is of type %s and must be text: somebody else made it; rename it there", ExternalField, model, kind))
	}
	return has, true, nil
}

// fields makes the field on every model that is installed.
func (s *setup) fields(ctx context.Context) error {
	if !s.Fields {
		return nil
	}
	for _, model := range marked {
		what := "field " + ExternalField + " on " + model
		has, installed, err := s.c.marks(ctx, model)
		switch {
		case err != nil:
			return err
		case !installed:
			s.rep.Steps = append(s.rep.Steps, Step{what, "not installed"})
			continue
		case has:
			s.there(what)
			continue
		}
		values := map[string]any{"name": ExternalField, "ttype": "char", "field_description": "Id at the till's vendor", "state": "manual", "index": true, "copied": false}
		if !s.dry {
			ms, err := s.c.search(ctx, "ir.model", []any{[]any{"model", "=", model}}, []string{"model"}, s.ch.in())
			if err != nil {
				return err
			}
			if len(ms) != 1 {
				return cannot("find the model "+model, nil)
			}
			values["model_id"] = id(ms[0]["id"])
		}
		if _, err := s.make(ctx, what, "ir.model.fields", values); err != nil {
			return err
		}
	}
	return nil
}

// readMarks looks which records may carry the vendor's id.
func (ch *chart) readMarks(ctx context.Context, c *Client) error {
	ch.marks = map[string]bool{}
	for _, model := range []string{"account.move", "res.partner"} {
		has, _, err := c.marks(ctx, model)
		if err != nil && !fault.Is(err, fault.Invalid) { // somebody else's field of that name is left alone
			return err
		}
		ch.marks[model] = has
	}
	return nil
}

// vendorID is the vendor's own id at the end of a key.
func vendorID(key string) string { return key[strings.LastIndexByte(key, '|')+1:] }
