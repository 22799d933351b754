package odoo

import (
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/fault"
)

func TestClassify(t *testing.T) {
	trace := func(last string) string {
		return "Traceback (most recent call last):\n  File \"x.py\", line 1, in y\n" + last + "\n"
	}
	for _, c := range []struct {
		code  int
		words string
		want  Kind
		says  string
	}{
		{1, trace("TypeError: cannot marshal None unless allow_none is enabled"), "", ""},
		{1, trace("TypeError: cannot marshal None unless allow_none is enabled, or so"), Broken, "or so"},
		{1, trace("psycopg2.errors.SerializationFailure: could not serialize access due to concurrent update"), Busy, "serialize"},
		{1, trace(`psycopg2.OperationalError: connection to server failed: FATAL:  database "books" does not exist`), Away, "books"},
		{1, trace("ValueError: Invalid field 'x' on model 'account.move'"), Broken, "Invalid field"},
		{2, "The entry is not balanced.", Refused, "balanced"},
		{2, "('There are still unposted entries\nin the period', {}, 'Show', None)", Refused, "entries in the period"},
		{3, "Access Denied", Denied, "Denied"},
		{4, "You are not allowed to create 'Journal Entry' (account.move) records.\n\nThis operation…", Rights, "account.move"},
		{9, "new", Broken, "fault 9"},
	} {
		err := classify(c.code, c.words)
		if KindOf(err) != c.want {
			t.Errorf("%d %.60q: got %q, want %q", c.code, c.words, KindOf(err), c.want)
		}
		if err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "Traceback") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%d: it says %q", c.code, err)
		}
	}
}

// The rest of the hub decides by the fault's code: what comes back by itself is unavailable, what was refused is invalid.
func TestKindsAreFaults(t *testing.T) {
	for kind, code := range map[Kind]fault.Code{Away: fault.Unavailable, Busy: fault.Unavailable, Denied: fault.Unavailable, Rights: fault.Unavailable, Refused: fault.Invalid, Broken: fault.Internal} {
		err := error(&Error{Kind: kind, Text: "x"})
		if fault.CodeOf(err) != code {
			t.Errorf("%s: got %v, want %v", kind, fault.CodeOf(err), code)
		}
		if means[kind] == "" {
			t.Errorf("%s says nothing to people", kind)
		}
	}
}
