package portico

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// services are the requests that make a payment of their own; others act on one, or move no money.
var services = set(`CreditSale CreditAuth CreditOfflineSale CreditOfflineAuth CreditReturn RecurringBilling RecurringBillingAuth
	DebitSale DebitReturn DebitAuth GiftCardSale GiftCardReturn GiftCardActivate GiftCardAddValue EBTFSPurchase EBTFSReturn EBTCBPurchase
	EBTCashBackPurchase EBTFSVoucher CheckSale PrePaidAddValue AltPaymentSale AltPaymentReturn AltPaymentAuth`)

// acts are the requests that change a payment: the one that OriginalGatewayTxnId names.
var acts = set(`CreditVoid CreditReversal CreditTxnEdit CreditAddToBatch CreditCPCEdit CreditAdditionalAuth CreditIncrementalAuth
	DebitReversal DebitAddToBatch GiftCardVoid GiftCardReversal CheckVoid AltPaymentVoid AltPaymentAddToBatch`)

// ActsOn is the payment that a row changes, "" when it changes none: that one is worth another look.
func (r Row) ActsOn() string {
	if of := r.Value("OriginalGatewayTxnId"); acts[r.Value("ServiceName")] && of != "0" {
		return of
	}
	return ""
}

// Financial reports whether a row is worth keeping: it is a payment, or changes one. The gateway lists our own questions among a site's
// activity too.
func (r Row) Financial() bool {
	s := r.Value("ServiceName")
	return s == "" || services[s] || acts[s] // batch details of older hosts name no service: what is in a batch is a payment
}

// states are the appendix "Status Indicators". X is a credit that was in no batch for 30 days: the gateway gave it up.
var states = map[string]retail.PaymentState{"A": retail.PaymentOpen, "I": retail.PaymentInactive, "C": retail.PaymentClosed, "V": retail.PaymentVoided,
	"X": retail.PaymentVoided, "R": retail.PaymentReversed, "T": retail.PaymentTimedOut}

// approved are the issuer's words for yes: approval, card ok, partial approval. Gift cards say 0 and 13.
var approved = set("00 85 10 0 13")

// later puts what is final behind everything that is not, whatever a clock says: the gateway never takes such a state back.
const later = 1 << 52 // microseconds of the year 2112

func (r Record) payment(rep Report) (retail.Record, error) {
	row := rep.Rows[0]
	id := row.Value("GatewayTxnId")
	bad := func(format string, args ...any) (retail.Record, error) {
		return nil, fault.New(fault.Invalid, "read payment "+id, fmt.Errorf(format, args...))
	}
	if !number(id) {
		return bad("it has no gateway number")
	}
	if n, twice := row.repeats("GatewayTxnId", "Amt", "AuthAmt", "SettlementAmt", "GratuityAmtInfo", "Status", "TxnStatus", "SaleReturnInd", "ServiceName"); twice {
		return bad("it holds %s twice", n)
	}
	service := row.Value("ServiceName")
	if service != "" && !services[service] {
		return nil, nil
	}
	p := retail.Payment{Key: retail.Key{System: System, Record: "payment", ID: id}, Location: r.Location, Till: r.Till, Service: service,
		Device: first(row, "DeviceId", "ProcessedDeviceId"), Brand: row.Value("CardType"), Auth: row.Value("AuthCode"), Client: row.Value("ClientTxnId"),
		Reference: row.Value("RefNbr"), Ticket: first(row, "InvoiceNbr", "DirectMktInvoiceNbr"), Last4: last4(row)}
	if p.Device == "" {
		p.Device = rep.Header("DeviceId")
	}
	if of := row.Value("OriginalGatewayTxnId"); of != "0" {
		p.Original = of
	}
	if rep.Name == BatchDetail {
		p.Batch = rep.Header("BatchId")
	}
	var err error
	if p.At, err = moment(row); err != nil {
		return bad("%w", err)
	}
	if p.State, err = state(row, rep); err != nil {
		return bad("%w", err)
	}
	if err := r.amounts(row, &p); err != nil {
		return bad("%w", err)
	}
	p.Revision = r.Asked.UnixMicro()
	if p.State.Final() {
		p.Revision += later
	}
	return p, nil
}

// state is where the payment stands. A payment that its own request refused never was one.
func state(row Row, rep Report) (retail.PaymentState, error) {
	if c := row.Value("GatewayRspCode"); c != "" && c != "0" && c != "00" {
		n, err := strconv.Atoi(c)
		switch {
		case err != nil:
			return "", fmt.Errorf("its response code %.20q is no number", c)
		case unknown[n]:
			return retail.PaymentTimedOut, nil
		case n != 10: // as a report's own code; never a payment's
			return retail.PaymentDeclined, nil
		}
	}
	if c := first(row, "IssuerRspCode", "RspCode"); c != "" && !approved[c] {
		return retail.PaymentDeclined, nil
	}
	word := first(row, "TxnStatus", "Status")
	s, ok := states[word]
	switch {
	case ok:
		return s, nil
	case word == "" && rep.Name == OpenAuths:
		return retail.PaymentOpen, nil
	}
	return "", fmt.Errorf("its status %.20q is not one of A, C, I, R, T, V, X", word)
}

// amounts fills in Amount and Tip. What will settle is SettlementAmt; where a report or state leaves it out, what was authorized, then what
// was asked for. Tips are part of all three.
func (r Record) amounts(row Row, p *retail.Payment) error {
	read := func(name string) (money.Amount, error) {
		text := row.Value(name)
		if text == "" {
			return money.Of(0, r.Currency), nil
		}
		a, err := money.Parse(text, r.Currency)
		switch {
		case err != nil:
			return a, fmt.Errorf("%s: %w", name, err)
		case a.Minor < 0 || a.Minor > retail.MaxMinor:
			return a, fmt.Errorf("%s of %s is beyond any payment: direction is told apart, not by a sign", name, a)
		}
		return a, nil
	}
	for _, name := range []string{"SettlementAmt", "AuthAmt", "Amt"} {
		a, err := read(name)
		if err != nil {
			return err
		}
		if p.Amount.Minor == 0 && (p.State.Moves() || name != "SettlementAmt") {
			p.Amount = a
		}
	}
	var err error
	if p.Tip, err = read("GratuityAmtInfo"); err != nil {
		return err
	}
	if gaveBack(row) {
		p.Amount, p.Tip = p.Amount.Neg(), p.Tip.Neg()
	}
	return nil
}

func gaveBack(row Row) bool {
	switch row.Value("SaleReturnInd") {
	case "R":
		return true
	case "S":
		return false
	}
	return strings.HasSuffix(row.Value("ServiceName"), "Return")
}

// moment is when the payment was made. RspDT alone has no zone and is the data centre's clock: it says nothing here.
func moment(row Row) (time.Time, error) {
	for _, name := range []string{"TxnUtcDT", "ReqUtcDT", "RspUtcDT"} {
		if s := row.Value(name); s != "" {
			return utc(name, s)
		}
	}
	return time.Time{}, nil
}

func utc(name, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, fmt.Errorf("%s %.40q is not written like 2026-11-25T03:08:19.337Z", name, s)
	}
	return t.UTC(), nil
}

func last4(row Row) string {
	s := first(row, "MaskedCardNbr", "TokenPANLast4")
	if len(s) < 4 || !number(s[len(s)-4:]) {
		return ""
	}
	return s[len(s)-4:]
}

func first(row Row, names ...string) string {
	for _, n := range names {
		if v := row.Value(n); v != "" {
			return v
		}
	}
	return ""
}

func number(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}
