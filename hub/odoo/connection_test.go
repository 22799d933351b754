package odoo

import (
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
)

func TestConnectionTellsHowTheLaneStands(t *testing.T) {
	var w Writer
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	w.Now = func() time.Time { return now }
	w.Met(nil)
	if s := w.Connection(); s.State != breaker.Closed || s.Name != "odoo" || !s.Since.Equal(now) {
		t.Errorf("%+v", s)
	}
	for _, c := range []struct {
		kind  Kind
		state breaker.State
	}{{Away, breaker.Open}, {Denied, breaker.Refused}, {Rights, breaker.Refused}, {Busy, breaker.Closed}, {Refused, breaker.Closed}} {
		w.conn.note(&Error{Kind: c.kind, Text: "its words"}, now, now.Add(time.Minute))
		s := w.Connection()
		if s.State != c.state || (s.State == breaker.Closed) != s.Next.IsZero() || (s.State == breaker.Closed) != (s.Reason == "") {
			t.Errorf("%s: %+v", c.kind, s)
		}
	}
	w.conn.note(&Error{Kind: Away}, now, now.Add(time.Minute))
	w.conn.note(&Error{Kind: Away}, now.Add(time.Minute), now.Add(2*time.Minute))
	if s := w.Connection(); !s.Since.Equal(now) || !s.Next.Equal(now.Add(2*time.Minute)) {
		t.Errorf("since and next: %+v", s)
	}
	w.conn.note(nil, now.Add(time.Hour), time.Time{})
	if s := w.Connection(); s.State != breaker.Closed || !s.Since.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v", s)
	}
}
