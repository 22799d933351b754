// Package gpapi reads what Global Payments' GP-API tells of settlement: deposits, the payments in them, disputes, and the bill of a month.
// It is pure. Names are those of the API's version 2021-03-22; its amounts are texts of minor units.
package gpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// System is the vendor system in the keys of what is read here.
const System = "gp-api"

// Version is the value of the header X-GP-Version for which this package is written.
const Version = "2021-03-22"

// What is one of the collections that are read.
type What string

const (
	Deposits        What = "deposits"
	Transactions    What = "transactions"
	Disputes        What = "disputes"         // all of them, as they stand with the cardholder's bank
	SettledDisputes What = "settled_disputes" // those that moved money
	Fees            What = "monthly_fees"
)

// collection is the field of an answer that holds the rows.
var collection = map[What]string{Deposits: "deposits", Transactions: "transactions", Disputes: "disputes", SettledDisputes: "disputes", Fees: "monthly_fees"}

// Record is the body of an envelope of kind gpapi.v1: one row as the API gave it, without what may not be kept.
type Record struct {
	What     What                `json:"what"`
	Location retail.LocationCode `json:"location,omitempty"` // "" = the settings name none for this merchant id
	Asked    time.Time           `json:"asked"`
	Row      json.RawMessage     `json:"row"`
}

// Limits. A page of a thousand rows is about 2 MB.
const (
	MaxAnswer = 16 << 20
	maxRow    = 64 << 10
	maxDepth  = 16
)

// Page is one answer: its rows, and whether more follow.
type Page struct {
	Rows  []json.RawMessage
	Total int // of all pages
}

// ParsePage reads one answer. Code invalid.
func ParsePage(w What, body []byte) (p Page, err error) {
	var top map[string]json.RawMessage
	if err := one(body, &top); err != nil {
		return p, fault.New(fault.Invalid, "read "+string(w), err)
	}
	rows, ok := top[collection[w]]
	if !ok {
		return p, fault.Msg(fault.Invalid, "read "+string(w), "the answer holds no "+collection[w])
	}
	if err := one(rows, &p.Rows); err != nil {
		return p, fault.New(fault.Invalid, "read "+string(w), err)
	}
	if n, ok := top["total_record_count"]; ok {
		if p.Total, err = strconv.Atoi(strings.Trim(string(n), `"`)); err != nil || p.Total < 0 {
			return p, fault.Msg(fault.Invalid, "read "+string(w), "its total_record_count is no count")
		}
	}
	return p, nil
}

// Encode writes a record as Decode reads it; what may not be kept is dropped. Code invalid for a row that is no object.
func (r Record) Encode() ([]byte, error) {
	if len(r.Row) > maxRow {
		return nil, fault.Msg(fault.Invalid, "keep "+string(r.What), fmt.Sprintf("a row is over %d KB", maxRow>>10))
	}
	var v map[string]any
	if err := one(r.Row, &v); err != nil {
		return nil, fault.New(fault.Invalid, "keep "+string(r.What), err)
	}
	row, err := json.Marshal(kept(v, 1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "keep "+string(r.What), err)
	}
	r.Row = row
	return json.Marshal(r)
}

// keep lists the fields that may be stored; everything else (names, addresses, links, whatever comes later) is dropped before the disk.
var keep = set(`id account_id account_name time_created time_created_reference status stage stage_time_created type channel amount currency reference batch_id
	batch_time_created country deposit_id deposit_time_created parent_resource_id funding_type aggregation_model masked_account_number_last4
	count bank_transfer system mid tid hierarchy dba sales refunds disputes chargebacks reversals discounts fees
	payment_method card brand authcode brand_reference arn masked_number_first6last4 masked_number_last4 funding number entry_mode
	reason_code reason_description time_to_respond_by result last_adjustment_amount last_adjustment_currency last_adjustment_funding
	last_adjustment_time_created transaction order passthrough transaction_count interchange_amount assessment_amount authorization_amount
	chargeback_amount supplies_amount device_amount discount_amount other_amount`)

func kept(v map[string]any, depth int) map[string]any {
	out := map[string]any{}
	for k, x := range v {
		if !keep[k] || depth > maxDepth {
			continue
		}
		switch y := x.(type) {
		case map[string]any:
			out[k] = kept(y, depth+1)
		case string:
			if k != "number" || strings.ContainsAny(y, "*xX") { // a card's number is kept masked or not at all
				out[k] = y
			}
		case json.Number, nil:
			out[k] = y
		}
	}
	return out
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// one decodes exactly one JSON value, numbers as their text.
func one(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more after the end of it")
	}
	return nil
}

// text is a JSON text or number as text.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = text(s)
		return nil
	}
	if string(b) == "null" {
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*t = text(n)
	return nil
}

// amount reads text of minor units; nothing is zero.
func amount(t text, c money.Currency) (money.Amount, error) {
	if !c.Valid() {
		return money.Amount{}, fmt.Errorf("the currency %.10q is not an ISO code", c)
	}
	if t == "" {
		return money.Of(0, c), nil
	}
	n, err := strconv.ParseInt(string(t), 10, 64)
	if err != nil || n > 100*retail.MaxMinor || n < -100*retail.MaxMinor {
		return money.Amount{}, fmt.Errorf("%.40q is no amount in minor units", string(t))
	}
	return money.Of(n, c), nil
}

// moment reads the API's times: with a zone, without one (then UTC), or a date alone.
func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no time", s)
}
