package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestCodes(t *testing.T) {
	for _, c := range []struct {
		err   error
		code  Code
		retry bool
	}{
		{nil, "", false},
		{io.EOF, Internal, false}, // nobody said what it is: a mistake of ours until proven otherwise
		{New(Unavailable, "connect", io.EOF), Unavailable, true},
		{fmt.Errorf("later: %w", New(Unavailable, "connect", io.EOF)), Unavailable, true},
		{New(Invalid, "read", New(Unavailable, "connect", io.EOF)), Invalid, false}, // who knows more speaks last
		{errors.Join(io.EOF, Msg(Conflict, "read", "two answers")), Conflict, false},
	} {
		if got := CodeOf(c.err); got != c.code || Retryable(c.err) != c.retry || Is(c.err, c.code) != (c.err != nil) {
			t.Errorf("%v: code %q, retryable %v; want %q, %v", c.err, got, Retryable(c.err), c.code, c.retry)
		}
	}
}

// A nil error stays nil, so that a call may be returned as it is.
func TestNilStaysNil(t *testing.T) {
	if err := New(Invalid, "read", nil); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestCauseStaysVisible(t *testing.T) {
	err := New(Invalid, "read ticket 7", io.EOF)
	if !errors.Is(err, io.EOF) || err.Error() != "read ticket 7: EOF" {
		t.Errorf("got %v", err)
	}
}
