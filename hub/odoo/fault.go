package odoo

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
)

// Kind says what a failed call means for what was to be done.
type Kind string

const (
	Away    Kind = "away"    // no answer, or not Odoo's: whether the call was committed is not known
	Busy    Kind = "busy"    // two calls met; nothing was committed
	Denied  Kind = "denied"  // user or key refused
	Rights  Kind = "rights"  // the user may not do this
	Refused Kind = "refused" // Odoo understood and refuses: the same call will be refused again
	Broken  Kind = "broken"  // Odoo broke on the call
)

// Error is a failed call. Text is for people: Odoo's own words without the traceback.
type Error struct {
	Kind Kind
	Text string
	Err  error
}

// means says what each kind means for the money and what to do, in the words of DESIGN D14. Odoo's own words follow.
var means = map[Kind]string{
	Away: "Odoo does not answer. Nothing is lost and nothing is posted twice: the documents wait and go by themselves when it is back. If it lasts, tell whoever runs Odoo: ",
	Busy: "Odoo was busy with the same records and booked nothing. It is tried again in a moment: ",
	Denied: "Odoo refuses the login. Nothing is lost: the documents wait. Give the Odoo user a new API key (they expire) and put it where the settings say; " +
		"it is read again at each try, then they go by themselves: ",
	Rights:  "The Odoo user lacks a right. Nothing is lost: the documents wait and go by themselves once it has it; `hub odoo check` names the group to give: ",
	Refused: "Odoo refuses it and booked nothing: ",
	Broken:  "Odoo broke on it and booked nothing: ",
}

func (e *Error) Error() string { return means[e.Kind] + e.Text }

// Unwrap gives the network's own error, and the fault code that the rest of the hub decides by.
func (e *Error) Unwrap() []error {
	code := fault.Unavailable
	switch e.Kind {
	case Refused:
		code = fault.Invalid
	case Broken:
		code = fault.Internal
	}
	errs := []error{fault.Msg(code, "call Odoo", e.Text)}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// KindOf is the kind of a failed call; an error that is none of ours is Broken, no error is "".
func KindOf(err error) Kind {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Kind
	}
	return Broken
}

func away(err error) error { return &Error{Kind: Away, Text: err.Error(), Err: err} }

// none ends the traceback of a method that returned None: it was committed before the answer could not be written (odoo.md §1.5).
const none = "TypeError: cannot marshal None unless allow_none is enabled"

// classify turns an XML-RPC fault into what it means; nil for the fault that is a success. The codes are Odoo's: 2 = the user's doing,
// 3 = login, 4 = rights, 1 = everything else with a traceback, whose last line alone says what it was.
func classify(code int, words string) error {
	last := lastLine(words)
	switch code {
	case 1:
		if last == none {
			return nil
		}
		switch {
		case transient(words):
			return &Error{Kind: Busy, Text: last}
		case absent(words):
			return &Error{Kind: Away, Text: last}
		}
		return &Error{Kind: Broken, Text: last}
	case 2:
		return &Error{Kind: Refused, Text: oneLine(words)}
	case 3:
		return &Error{Kind: Denied, Text: oneLine(words)}
	case 4:
		return &Error{Kind: Rights, Text: oneLine(words)}
	}
	return &Error{Kind: Broken, Text: fmt.Sprintf("fault %d: %s", code, last)}
}

// refusal turns an error of JSON-2 into what it means. Its name says more than its status, which is 404 both for a record that is gone and
// for a method that does not exist; debug is the traceback.
func refusal(status int, name, message, debug string) error {
	words := oneLine(name + ": " + message)
	switch {
	case transient(name + message + debug):
		return &Error{Kind: Busy, Text: words}
	case status == http.StatusUnauthorized, strings.HasSuffix(name, ".AccessDenied"):
		return &Error{Kind: Denied, Text: oneLine(message)}
	case strings.HasSuffix(name, ".AccessError"):
		return &Error{Kind: Rights, Text: oneLine(message)}
	case strings.HasPrefix(name, "odoo.exceptions."):
		return &Error{Kind: Refused, Text: oneLine(message)}
	case status == http.StatusNotFound && strings.HasPrefix(message, "the model "):
		return &Error{Kind: Refused, Text: oneLine(message)}
	case absent(name + message + debug), status == http.StatusServiceUnavailable, status == http.StatusTooManyRequests:
		return &Error{Kind: Away, Text: words}
	case name == "": // JSON, and none of Odoo's
		return &Error{Kind: Away, Text: fmt.Sprintf("HTTP %d instead of an answer", status)}
	}
	return &Error{Kind: Broken, Text: words}
}

// transient names PostgreSQL's word that two transactions met.
func transient(words string) bool {
	for _, s := range []string{"could not serialize access", "SerializationFailure", "deadlock detected", "LockNotAvailable", "could not obtain lock"} {
		if strings.Contains(words, s) {
			return true
		}
	}
	return false
}

// absent is a server whose database is not there: stopped, restoring, renamed.
func absent(words string) bool {
	for _, s := range []string{"psycopg2.OperationalError", "psycopg2.InterfaceError", "psycopg2.errors.AdminShutdown", "PoolError", "KeyError: 'res.users'",
		"CacheMiss", "ReadOnlySqlTransaction", "QueryCanceled"} {
		if strings.Contains(words, s) {
			return true
		}
	}
	return false
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		s = s[i+1:]
	}
	return oneLine(s)
}

// oneLine makes Odoo's words fit a list: one line of at most 400 characters.
func oneLine(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > 400 {
		r = append(r[:400], '…')
	}
	return string(r)
}
