package upa

import (
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// System names whose numbers a terminal tells: batches and payments are the gateway's, so that those told by the terminal and those that
// the gateway reports are the same.
const System = "heartland-portico"

// BatchList reads the answer to Batches. Code invalid.
func BatchList(a Answer) (out []BatchID, err error) {
	if err := a.Refused(); err != nil {
		return nil, err
	}
	var d struct {
		Batches []struct {
			ID text `json:"batchId"`
		} `json:"batchesAvail"`
	}
	if len(a.Data) == 0 {
		return nil, nil
	}
	if err := one(a.Data, &d); err != nil {
		return nil, fault.New(fault.Invalid, "read the list of batches", err)
	}
	for _, b := range d.Batches {
		id := BatchID(b.ID)
		if !id.Valid() {
			return nil, fault.Msg(fault.Invalid, "read the list of batches", fmt.Sprintf("%.30q is no batch number", b.ID))
		}
		out = append(out, id)
	}
	return out, nil
}

type batchRecord struct {
	ID       text        `json:"batchId"`
	Sequence text        `json:"batchSeqNbr"`
	Status   text        `json:"batchStatus"`
	Opened   text        `json:"openUtcDateTime"`
	Closed   text        `json:"closeUtcDateTime"`
	Total    text        `json:"totalAmount"`
	Count    text        `json:"totalCnt"`
	Brands   []brandSum  `json:"batchTransactions"`
	Payments []paidByRow `json:"batchDetailRecords"`
}

type brandSum struct {
	Brand text `json:"cardType"`
	Total text `json:"totalAmount"`
}

type paidByRow struct {
	Gateway   text `json:"gatewayTxnId"`
	Reference text `json:"referenceNumber"`
	At        text `json:"transactionTime"`
	Status    text `json:"transactionStatus"`
	Kind      text `json:"transactionType"`
	Settled   text `json:"settleAmount"`
	Granted   text `json:"authorizedAmount"`
	Requested text `json:"requestedAmount"`
	Tip       text `json:"tipAmount"`
	Brand     text `json:"cardType"`
	Pan       text `json:"maskedPAN"`
	PanToo    text `json:"maskedPan"`
	Auth      text `json:"approvalCode"`
	Invoice   text `json:"invoiceNbr"`
}

// BatchAndPayments reads the answer to BatchReport or BatchDetails; the report alone has no payments. Code invalid.
func BatchAndPayments(a Answer, p Place) (b retail.Batch, out []retail.Payment, err error) {
	if err := a.Refused(); err != nil {
		return b, nil, err
	}
	var d struct {
		Record *batchRecord `json:"batchRecord"`
	}
	if err := one(a.Data, &d); err != nil {
		return b, nil, fault.New(fault.Invalid, "read batch", err)
	}
	if d.Record == nil || !BatchID(d.Record.ID).Valid() {
		return b, nil, fault.Msg(fault.Invalid, "read batch", "the report names no batch")
	}
	if b, err = d.Record.batch(p); err != nil {
		return b, nil, fault.New(fault.Invalid, "read batch "+string(d.Record.ID), err)
	}
	for _, r := range d.Record.Payments {
		t, err := r.payment(p, b)
		if err != nil {
			return b, nil, fault.New(fault.Invalid, "read payment "+short(string(r.Gateway)), err)
		}
		out = append(out, t)
	}
	return b, out, nil
}

func (r batchRecord) batch(p Place) (b retail.Batch, err error) {
	b = retail.Batch{Key: retail.Key{System: System, Record: "batch", ID: string(r.ID)}, Number: short(string(r.Sequence)), Location: p.Location,
		Opened: r.Opened.moment(nil), Closed: r.Closed.moment(nil)}
	if b.Count, err = r.Count.count(); err != nil {
		return b, err
	}
	if b.Total, err = r.Total.amount(p.Currency); err != nil {
		return b, err
	}
	for _, s := range r.Brands {
		sum, err := s.Total.amount(p.Currency)
		if err != nil {
			return b, err
		}
		if b.ByBrand == nil {
			b.ByBrand = map[string]money.Amount{}
		}
		name := brand(string(s.Brand))
		if have, twice := b.ByBrand[name]; twice {
			if sum, err = sum.Add(have); err != nil {
				return b, err
			}
		}
		b.ByBrand[name] = sum
	}
	return b, nil
}

func (r paidByRow) payment(p Place, b retail.Batch) (t retail.Payment, err error) {
	id := or(r.Gateway, r.Reference)
	if id == "" {
		return t, fault.Msg(fault.Invalid, "read payment", "it has no number")
	}
	key := retail.Key{System: System, Record: "payment", ID: string(id)}
	if r.Gateway == "" {
		key.Scope = "reference" // another row of numbers
	}
	t = retail.Payment{Key: key, Location: p.Location, Till: p.Till, At: r.At.moment(p.Zone),
		State: r.state(b), Brand: brand(string(r.Brand)), Last4: last4(string(or(r.Pan, r.PanToo))), Auth: short(string(r.Auth)), Batch: b.Key.ID, Ticket: short(string(r.Invoice))}
	if t.Amount, err = or(r.Settled, r.Granted, r.Requested).amount(p.Currency); err != nil {
		return t, err
	}
	if refund(string(r.Kind)) && t.Amount.Minor > 0 {
		t.Amount = t.Amount.Neg()
	}
	t.Tip, err = r.Tip.amount(p.Currency)
	return t, err
}

func (r paidByRow) state(b retail.Batch) retail.PaymentState {
	s := strings.ToUpper(string(r.Status))
	switch {
	case strings.Contains(s, "VOID"):
		return retail.PaymentVoided
	case strings.Contains(s, "REVERS"):
		return retail.PaymentReversed
	case strings.Contains(s, "DECLINE"):
		return retail.PaymentDeclined
	case b.Closed.IsZero():
		return retail.PaymentOpen
	}
	return retail.PaymentClosed
}
