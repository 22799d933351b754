package odoo

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// The answers are those of a real Odoo 19, shortened.
func TestRefusalOfJSON2(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   Kind
		says   string
	}{
		{422, `{"name":"odoo.exceptions.UserError","message":"The entry is not balanced."}`, Refused, "balanced"},
		{422, `{"name":"odoo.exceptions.ValidationError","message":"The operation cannot be completed:\n duplicate key value"}`, Refused, "duplicate key"},
		{404, `{"name":"odoo.exceptions.MissingError","message":"Record does not exist or has been deleted.\n(Record: res.partner(99999999,), User: 5)"}`, Refused, "deleted"},
		{404, `{"name":"werkzeug.exceptions.NotFound","message":"the model 'no.such' does not exist"}`, Refused, "no.such"},
		{404, `{"name":"werkzeug.exceptions.NotFound","message":"The method 'res.partner.no_such' does not exist"}`, Broken, "no_such"},
		{422, `{"name":"werkzeug.exceptions.UnprocessableEntity","message":"got an unexpected keyword argument 'nope'"}`, Broken, "nope"},
		{400, `{"name":"werkzeug.exceptions.BadRequest","message":"could not parse the body as json"}`, Broken, "parse"},
		{401, `{"name":"werkzeug.exceptions.Unauthorized","message":"Invalid apikey"}`, Denied, "Invalid apikey"},
		{403, `{"name":"odoo.exceptions.AccessError","message":"You are not allowed to access 'Journal Entry' (account.move) records."}`, Rights, "account.move"},
		{403, `{"name":"odoo.exceptions.AccessDenied","message":"Access Denied"}`, Denied, "Denied"},
		{500, `{"name":"builtins.ValueError","message":"Invalid field 'no_such' on 'account.move'","debug":"Traceback (most recent call last):\nKeyError: 'no_such'"}`, Broken, "no_such"},
		{500, `{"name":"psycopg2.errors.SerializationFailure","message":"could not serialize access due to concurrent update\n"}`, Busy, "serialize"},
		{500, `{"name":"psycopg2.OperationalError","message":"connection to server failed"}`, Away, "connection"},
		{502, `{"error":"a proxy's own words"}`, Away, "502"},
		{500, `[]`, Away, "500"},
	} {
		_, err := jsonAnswer(c.status, []byte(c.body))
		if KindOf(err) != c.want || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "Traceback") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%d %s: got %q %v, want %q", c.status, c.body, KindOf(err), err, c.want)
		}
	}
}

func TestAnswerOfJSON2(t *testing.T) {
	for in, want := range map[string]any{
		`7`: int64(7), `3000000000`: int64(3000000000), `false`: false, `10.0`: 10.0, `0.30000000000000004`: 0.30000000000000004, `1e3`: 1000.0, `"a < b"`: "a < b", `null`: nil,
		`{"ids":[14],"messages":[]}`: map[string]any{"ids": []any{int64(14)}, "messages": []any{}},
	} {
		if got, err := jsonAnswer(200, []byte(in)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v %v, want %#v", in, got, err, want)
		}
	}
	for name, in := range map[string]string{"cut off": `{"ids":[1`, "two answers": `1 2`, "a page": "<!DOCTYPE html>", "nothing": "", "deep": strings.Repeat("[", 20000)} {
		if _, err := jsonAnswer(200, []byte(in)); KindOf(err) != Away {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := jsonAnswer(200, []byte("99999999999999999999")); KindOf(err) != Broken {
		t.Errorf("a number beyond 64 bits: %v", err)
	}
}

func TestArgumentsGetTheirNames(t *testing.T) {
	in := map[string]any{"context": map[string]any{"lang": "en_US"}}
	got, err := named("load", []any{[]string{"id"}, []any{}}, in)
	if want := map[string]any{"fields": []string{"id"}, "data": []any{}, "context": in["context"]}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("load: %v %v", got, err)
	}
	if got, err = named("action_post", []any{[]int64{1, 2}}, nil); err != nil || !reflect.DeepEqual(got, map[string]any{"ids": []int64{1, 2}}) {
		t.Errorf("action_post: %v %v", got, err)
	}
	// Odoo answers 200 to a method on records that is given none: nothing would be posted, and nobody told.
	for method, args := range map[string][]any{"action_post": {}, "button_draft": {"7"}, "load": {1, 2, 3}, "no_such": {[]int64{1}, 2}} {
		if got, err := named(method, args, nil); err == nil {
			t.Errorf("%s %v would be sent as %v", method, args, got)
		}
	}
	if got, err := named("search_read", []any{[]any{}}, map[string]any{"domain": []any{}}); err == nil {
		t.Errorf("a domain given twice would be sent as %v", got)
	}
}

// FuzzJSONAnswer feeds the reader of answers whatever a broken proxy may send: it may refuse, not break.
func FuzzJSONAnswer(f *testing.F) {
	f.Add(200, []byte(`{"ids":[14],"messages":[],"nextrow":0}`))
	f.Add(422, []byte(`{"name":"odoo.exceptions.UserError","message":"x"}`))
	f.Add(502, []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, b []byte) {
		v, err := jsonAnswer(status, b)
		if err != nil && !utf8.ValidString(err.Error()) {
			t.Errorf("the error is no text: %q", err)
		}
		if status != 200 && err == nil {
			t.Errorf("status %d is taken for an answer", status)
		}
		_ = text(v)
		_ = id(v)
		_, _ = rows(v)
	})
}
