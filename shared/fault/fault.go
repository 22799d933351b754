// Package fault gives an error one of five codes, attached once, where its meaning is known. Callers decide by code and never by text.
package fault

import "errors"

// Code says what kind of trouble an error is.
type Code string

const (
	Invalid     Code = "invalid"     // the input is wrong and will stay wrong: keep it, list it, pass it by
	Conflict    Code = "conflict"    // it contradicts what is already recorded: a person decides
	NotFound    Code = "not_found"   // what was asked for does not exist
	Unavailable Code = "unavailable" // the other side is away: repeat later
	Internal    Code = "internal"    // a bug or a broken disk
)

// Error is a coded error. Op is "package.Func" or a verb with its object.
type Error struct {
	Code Code
	Op   string
	Err  error
}

func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// New attaches a code. A nil err stays nil, so that a call may be returned as it is.
func New(code Code, op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Op: op, Err: err}
}

// Msg is New with a text for a person: what happened, what it means, what to do.
func Msg(code Code, op, text string) error { return New(code, op, errors.New(text)) }

// CodeOf returns the outermost code; an error without a code is Internal, and nil is "".
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Retryable reports whether the same call may succeed later: only an absence is repeated by itself.
func Retryable(err error) bool { return CodeOf(err) == Unavailable }

// Is reports whether err carries code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
