package retail

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/money"
)

// TestFactsThatCannotBe: what a till tells beside its tickets is not believed when it can be nothing.
func TestFactsThatCannotBe(t *testing.T) {
	type checked interface{ Validate(now time.Time) error }
	key := Key{System: "s", Record: "r", ID: "1"}
	for _, good := range []checked{ReadTo{Location: "S1", Through: now}, ReadTo{Location: "S1", Through: now.Add(60 * time.Hour)}, Control{Location: "S1", Day: "2026-11-20"}, Payment{Key: key, State: PaymentOpen, At: now},
		Payment{Key: key}, Batch{Key: key, State: BatchClosed, Closed: now}, Terminal{Location: "S1"}, Location{Code: "S1"}} {
		if err := good.Validate(now); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for says, bad := range map[string]checked{"does not say through": ReadTo{Location: "S1"}, "2099": ReadTo{Location: "S1", Through: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}, "names no location": Control{Day: "2026-11-20"},
		`"nope"`: Control{Location: "S1", Day: "nope"}, "days away from today": Control{Location: "S1", Day: "2099-01-01"}, "no usable id": Payment{Location: "S1"}, "is unknown": Payment{Key: key, State: "paid"},
		"beyond any payment": Payment{Key: key, Amount: money.Of(MaxMinor+1, "USD")}, "in the future": Payment{Key: key, At: now.AddDate(1, 0, 0)}, "the batch has no": Batch{}, "its state": Batch{Key: key, State: "shut"},
		"its end": Batch{Key: key, Closed: now.AddDate(1, 0, 0)}, "terminal T1": Terminal{Till: "T1"}, "no code": Location{Name: "One"}} {
		if err := bad.Validate(now); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", bad, err, says)
		}
	}
}

// TestWrongJSONIsToldInItsOwnWords: a till's programmer does not know Go's types.
func TestWrongJSONIsToldInItsOwnWords(t *testing.T) {
	for body, says := range map[string]string{
		`{"id":5}`:                           `"id" is of kind number and should be a text in quotes`,
		`{"id":"1","lines":{}}`:              `"lines" is of kind object and should be a list in brackets`,
		`{"id":"1","sequence":"7"}`:          `"sequence" is of kind string and should be a whole number`,
		`{"id":"1","lines":[{"amount":{}}]}`: `amount" is of kind object and should be a number`,
		`[]`:                                 "the record is of kind array and should be an object in braces",
	} {
		if _, err := DecodeTicket([]byte(body)); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "Go ") {
			t.Errorf("%s: %v", body, err)
		}
	}
	var p Payment
	if err := Worded(json.Unmarshal([]byte(`{"amount":5}`), &p)); err == nil || !strings.Contains(err.Error(), "such as 12.30 USD") {
		t.Errorf("an amount: %v", err)
	}
}
