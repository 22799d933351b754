package upa

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

// Kind is a message's first word.
type Kind string

const (
	Msg      Kind = "MSG"   // a command, or its answer
	Ack      Kind = "ACK"   // understood
	Nak      Kind = "NAK"   // not understood
	Ready    Kind = "READY" // free for the next
	Busy     Kind = "BUSY"  // a till is using it
	TimedOut Kind = "TO"    // it gave up waiting, for our ACK or for a customer
)

var kinds = map[Kind]bool{Msg: true, Ack: true, Nak: true, Ready: true, Busy: true, TimedOut: true}

// Answer is one message of a terminal. Only one of kind Msg has more than its Kind.
type Answer struct {
	Kind      Kind
	Command   string // whose answer it is
	ID        string // of the conversation
	OK        bool
	ErrorCode string
	ErrorText string
	Data      json.RawMessage // the command's own part, nil = none
}

// Refused is why the terminal did not do it, nil when it did. Code invalid.
func (a Answer) Refused() error {
	if a.OK {
		return nil
	}
	return fault.Msg(fault.Invalid, a.Command, strings.TrimSpace("the terminal refuses it: "+a.ErrorCode+" "+a.ErrorText))
}

// Read reads one message as Split gives it. What it does not know it leaves alone. Code invalid, ErrGarbage.
func Read(body []byte) (Answer, error) {
	var m struct {
		Message Kind            `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if err := one(body, &m); err != nil {
		return Answer{}, garbage(err.Error())
	}
	if !kinds[m.Message] {
		return Answer{}, garbage("its message is " + strconv.QuoteToASCII(short(string(m.Message))))
	}
	a := Answer{Kind: m.Message}
	if m.Message != Msg {
		return a, nil
	}
	var d struct {
		Response  text `json:"response"`
		RequestID text `json:"requestId"`
		Result    struct {
			Result text `json:"result"`
			Code   text `json:"errorCode"`
			Text   text `json:"errorMessage"`
		} `json:"cmdResult"`
		Data    json.RawMessage `json:"data"`
		Batches json.RawMessage `json:"batchesAvail"` // some versions answer AvailableBatches without the inner data
	}
	if err := one(m.Data, &d); err != nil {
		return Answer{}, garbage(err.Error())
	}
	if d.Response == "" || d.Result.Result == "" {
		return Answer{}, garbage("it names neither command nor result")
	}
	a.Command, a.ID, a.OK = string(d.Response), string(d.RequestID), strings.EqualFold(string(d.Result.Result), "success")
	a.ErrorCode, a.ErrorText = short(string(d.Result.Code)), short(string(d.Result.Text))
	if a.Data = d.Data; len(a.Data) == 0 && len(d.Batches) > 0 {
		a.Data = json.RawMessage(`{"batchesAvail":` + string(d.Batches) + `}`)
	}
	return a, nil
}

// text is a value that terminals write now as a string, now as a number.
type text string

// UnmarshalJSON implements json.Unmarshaler; a number keeps its spelling.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case bytes.Equal(b, []byte("null")):
		*t = ""
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = text(strings.TrimSpace(s))
	case b[0] == '{' || b[0] == '[':
		return fault.Msg(fault.Invalid, "read terminal's answer", "a value is a structure where a text belongs")
	default:
		*t = text(b)
	}
	return nil
}

// amount reads a text as money; an empty one is nothing.
func (t text) amount(c money.Currency) (money.Amount, error) {
	if t == "" {
		return money.Of(0, c), nil
	}
	return money.Parse(string(t), c)
}

// count reads a text as a number of things; an empty one is 0.
func (t text) count() (int, error) {
	if t == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(string(t))
	if err != nil || n < 0 {
		return 0, fault.Msg(fault.Invalid, "read terminal's answer", "a count is "+strconv.QuoteToASCII(short(string(t))))
	}
	return n, nil
}

// one reads exactly one JSON value.
func one(b []byte, into any) error {
	if len(b) == 0 {
		return fault.Msg(fault.Invalid, "read terminal's answer", "it is empty")
	}
	return json.Unmarshal(b, into)
}

// short keeps a terminal's words to one line of a list.
func short(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
