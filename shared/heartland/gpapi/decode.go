package gpapi

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// row is every field that is read of any collection.
type row struct {
	ID         string         `json:"id"`
	Created    string         `json:"time_created"`
	StageTime  string         `json:"stage_time_created"`
	Status     string         `json:"status"`
	Stage      string         `json:"stage"`
	Result     string         `json:"result"`
	Type       string         `json:"type"`
	Amount     text           `json:"amount"`
	Currency   money.Currency `json:"currency"`
	Funding    string         `json:"funding_type"`
	Reference  string         `json:"reference"`
	Batch      string         `json:"batch_id"`
	Deposit    string         `json:"deposit_id"`
	Reason     string         `json:"reason_description"`
	ReasonCode string         `json:"reason_code"`
	RespondBy  string         `json:"time_to_respond_by"`
	Account    string         `json:"masked_account_number_last4"`
	System     struct {
		MID string `json:"mid"`
	} `json:"system"`
	Transfer struct {
		Account string `json:"masked_account_number_last4"`
	} `json:"bank_transfer"`
	Sales    counted `json:"sales"`
	Refunds  counted `json:"refunds"`
	Disputes struct {
		Chargebacks counted `json:"chargebacks"`
		Reversals   counted `json:"reversals"`
	} `json:"disputes"`
	Discounts counted `json:"discounts"`
	Fees      counted `json:"fees"`
	Method    struct {
		Card card `json:"card"`
	} `json:"payment_method"`
	Transaction struct {
		Method struct {
			Card card `json:"card"`
		} `json:"payment_method"`
	} `json:"transaction"`
	Moved         text           `json:"last_adjustment_amount"`
	MovedCurrency money.Currency `json:"last_adjustment_currency"`
	MovedFunding  string         `json:"last_adjustment_funding"`

	Interchange   text `json:"interchange_amount"`
	Assessment    text `json:"assessment_amount"`
	Authorization text `json:"authorization_amount"`
	Chargeback    text `json:"chargeback_amount"`
	Supplies      text `json:"supplies_amount"`
	DeviceFee     text `json:"device_amount"`
	Discount      text `json:"discount_amount"`
	Other         text `json:"other_amount"`
}

type counted struct {
	Count  text `json:"count"`
	Amount text `json:"amount"`
}

type card struct {
	Brand     string `json:"brand"`
	Auth      string `json:"authcode"`
	Reference string `json:"brand_reference"`
	ARN       string `json:"arn"`
	Number    string `json:"number"`
	First6    string `json:"masked_number_first6last4"`
	Last4     string `json:"masked_number_last4"`
}

// Decode reads a record: a retail.BankDeposit, SettledPayment, Dispute or MonthlyFees. Code invalid.
func Decode(body []byte) (retail.Record, error) {
	var r Record
	var w row
	if err := one(body, &r); err != nil {
		return nil, fault.New(fault.Invalid, "read settlement", err)
	}
	if err := one(r.Row, &w); err != nil {
		return nil, fault.New(fault.Invalid, "read settlement", err)
	}
	var out retail.Record
	var err error
	switch r.What {
	case Deposits:
		out, err = r.deposit(w)
	case Transactions:
		out, err = r.settled(w)
	case Disputes, SettledDisputes:
		out, err = r.dispute(w)
	case Fees:
		out, err = r.fees(w)
	default:
		err = fmt.Errorf("%.40q is not known here", string(r.What))
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "read "+string(r.What)+" "+w.ID, err)
	}
	return out, nil
}

func (r Record) key(record, id string) retail.Key {
	return retail.Key{System: System, Record: record, ID: id}
}

func (r Record) deposit(w row) (retail.BankDeposit, error) {
	at, err := moment(w.Created)
	d := retail.BankDeposit{Key: r.key("deposit", w.ID), Location: r.Location, Merchant: w.System.MID, Day: retail.DateOf(at), Status: w.Status,
		Account: last4(w.Transfer.Account, w.Account), Revision: r.Asked.UnixMicro()}
	bad := errors.Join(err, needs(w.ID), needs(w.Created))
	d.Amount, err = signed(w.Amount, w.Currency, w.Funding)
	bad = errors.Join(bad, err)
	for _, c := range []struct {
		to   *retail.Counted
		from counted
	}{{&d.Sales, w.Sales}, {&d.Refunds, w.Refunds}, {&d.Chargebacks, w.Disputes.Chargebacks}, {&d.Reversals, w.Disputes.Reversals}, {&d.Discounts, w.Discounts}} {
		*c.to, err = c.from.read(w.Currency)
		bad = errors.Join(bad, err)
	}
	d.Fees, err = amount(w.Fees.Amount, w.Currency)
	return d, errors.Join(bad, err)
}

func (r Record) settled(w row) (retail.SettledPayment, error) {
	c := w.Method.Card
	at, err := moment(w.Created)
	p := retail.SettledPayment{Key: r.key("settled", w.ID), Location: r.Location, Merchant: w.System.MID, At: at, Status: w.Status, Brand: c.Brand, Auth: c.Auth,
		Reference: c.Reference, Last4: last4(c.Last4, c.First6), Batch: w.Batch, Deposit: w.Deposit, Revision: r.Asked.UnixMicro()}
	funding := "CREDIT"
	if w.Type == "REFUND" {
		funding = "DEBIT"
	}
	bad := errors.Join(err, needs(w.ID))
	p.Amount, err = signed(w.Amount, w.Currency, funding)
	return p, errors.Join(bad, err)
}

func (r Record) dispute(w row) (retail.Dispute, error) {
	c := w.Method.Card
	if c == (card{}) {
		c = w.Transaction.Method.Card
	}
	at, err1 := moment(or(w.StageTime, w.Created))
	by, err2 := moment(w.RespondBy)
	d := retail.Dispute{Key: r.key("dispute", w.ID), Location: r.Location, Merchant: w.System.MID, At: at, Status: w.Status, Stage: w.Stage, Result: w.Result,
		Reason: or(w.Reason, w.ReasonCode), RespondBy: by, Brand: c.Brand, Last4: last4(c.Last4, c.First6, c.Number), Deposit: w.Deposit, Revision: r.Asked.UnixMicro()}
	var err3, err4 error
	d.Amount, err3 = amount(w.Amount, w.Currency)
	if w.Moved != "" && w.MovedFunding != "NONE" {
		d.Moved, err4 = signed(w.Moved, money.Currency(or(string(w.MovedCurrency), string(w.Currency))), w.MovedFunding)
	}
	return d, errors.Join(needs(w.ID), err1, err2, err3, err4)
}

// fees have no id: a merchant has one bill a month.
func (r Record) fees(w row) (retail.MonthlyFees, error) {
	at, err := moment(w.Created)
	f := retail.MonthlyFees{Key: r.key("fees", w.System.MID+"/"+at.Format("2006-01")), Location: r.Location, Merchant: w.System.MID, Day: retail.DateOf(at),
		Status: w.Status, Parts: map[string]money.Amount{}, Revision: r.Asked.UnixMicro()}
	bad := errors.Join(err, needs(w.System.MID), needs(w.Created))
	f.Amount, err = amount(w.Amount, w.Currency)
	bad = errors.Join(bad, err)
	for name, t := range map[string]text{"interchange": w.Interchange, "assessment": w.Assessment, "authorization": w.Authorization, "chargeback": w.Chargeback,
		"supplies": w.Supplies, "device": w.DeviceFee, "discount": w.Discount, "other": w.Other} {
		if t == "" {
			continue
		}
		a, err := amount(t, w.Currency)
		bad = errors.Join(bad, err)
		f.Parts[name] = a
	}
	return f, bad
}

func (c counted) read(cur money.Currency) (out retail.Counted, err error) {
	if c == (counted{}) {
		return out, nil
	}
	n, err := amount(c.Count, cur)
	if err != nil || n.Minor < 0 || n.Minor > 1e9 {
		return out, fmt.Errorf("%.20q is no count", string(c.Count))
	}
	out.Count = int(n.Minor)
	out.Amount, err = amount(c.Amount, cur)
	return out, err
}

// signed gives an amount its direction as the merchant's account sees it: CREDIT comes in.
func signed(t text, c money.Currency, funding string) (money.Amount, error) {
	a, err := amount(t, c)
	switch {
	case err != nil:
		return a, err
	case funding == "CREDIT":
		return a, nil
	case funding == "DEBIT":
		return a.Neg(), nil
	}
	return a, fmt.Errorf("its direction %.20q is neither CREDIT nor DEBIT", funding)
}

func needs(s string) error {
	if s == "" || len(s) > 128 {
		return errors.New("its id, merchant or time is missing")
	}
	return nil
}

// last4 is the end of the first text that ends in four digits.
func last4(texts ...string) string {
	for _, s := range texts {
		if len(s) >= 4 && strings.Trim(s[len(s)-4:], "0123456789") == "" {
			return s[len(s)-4:]
		}
	}
	return ""
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
