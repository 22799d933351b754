package portico

import (
	"bytes"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/portico"
)

// kind is one of the requests that this package can send. All of them read. The list is closed: a request is made of a kind, and a kind
// that is not in the table of names below cannot be encoded.
type kind uint8

const (
	kindActivity kind = iota + 1
	kindFind
	kindFindBatch
	kindTxnDetail
	kindBatchHistory
	kindBatchDetail
	kindBatchSummary
	kindOpenAuths
	kindTestCredentials
	kinds
)

// names are the elements that a request becomes.
var names = [kinds]string{kindActivity: portico.Activity, kindFind: portico.Find, kindFindBatch: portico.Find, kindTxnDetail: portico.TxnDetail,
	kindBatchHistory: portico.BatchHistory, kindBatchDetail: portico.BatchDetail, kindBatchSummary: portico.BatchSummary,
	kindOpenAuths: portico.OpenAuths, kindTestCredentials: portico.Credentials}

// request is one question. id is a number of the gateway; from and to are a window.
type request struct {
	kind     kind
	id       string
	from, to time.Time
}

// reading is a window of time.
type reading struct{ from, to time.Time }

func activity(w reading) request       { return request{kind: kindActivity, from: w.from, to: w.to} }
func find(w reading) request           { return request{kind: kindFind, from: w.from, to: w.to} }
func findBatch(id string) request      { return request{kind: kindFindBatch, id: id} }
func txnDetail(id string) request      { return request{kind: kindTxnDetail, id: id} }
func batchHistory(w reading) request   { return request{kind: kindBatchHistory, from: w.from, to: w.to} }
func batchDetail(id string) request    { return request{kind: kindBatchDetail, id: id} }
func batchSummary(id string) request   { return request{kind: kindBatchSummary, id: id} }
func openAuths() request               { return request{kind: kindOpenAuths} }
func testCredentials() request         { return request{kind: kindTestCredentials} }
func (r request) String() string       { return names[r.kind] }
func (r request) windowed() bool       { return !r.from.IsZero() }
func (r request) width() time.Duration { return r.to.Sub(r.from) }

const (
	head = `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` +
		`<PosRequest xmlns="http://Hps.Exchange.PosGateway"><Ver1.0>`
	foot  = `</Ver1.0></PosRequest></soap:Body></soap:Envelope>`
	inUTC = "UTC" // TzConversion: without it a report's times have the data centre's zone
)

// sender is what a request's header tells beside the credentials.
type sender struct{ developer, version string }

// encode writes a request as the gateway reads it. Code internal for what is none: a bug.
func (r request) encode(c Credentials, s sender) ([]byte, error) {
	if r.kind == 0 || r.kind >= kinds || names[r.kind] == "" {
		return nil, fault.Msg(fault.Internal, "encode request", fmt.Sprintf("there is no reading request of kind %d", r.kind))
	}
	var b bytes.Buffer
	b.WriteString(head + "<Header>")
	c.write(&b)
	if s.developer != "" {
		value(&b, "DeveloperID", s.developer)
	}
	if s.version != "" {
		value(&b, "VersionNbr", s.version)
	}
	b.WriteString("</Header><Transaction><" + names[r.kind] + ">")
	if err := r.parameters(&b); err != nil {
		return nil, fault.New(fault.Internal, "encode "+names[r.kind], err)
	}
	b.WriteString("</" + names[r.kind] + "></Transaction>" + foot)
	return b.Bytes(), nil
}

func (r request) parameters(b *bytes.Buffer) error {
	switch r.kind {
	case kindActivity, kindBatchHistory:
		r.window(b, "RptStartUtcDT", "RptEndUtcDT")
		value(b, "TzConversion", inUTC)
	case kindFind:
		b.WriteString("<Criteria>")
		r.window(b, "StartUtcDT", "EndUtcDT")
		b.WriteString("</Criteria>")
		value(b, "TzConversion", inUTC)
	case kindFindBatch:
		if !digits(r.id) {
			return errNoNumber
		}
		b.WriteString("<Criteria>")
		value(b, "BatchId", r.id)
		b.WriteString("</Criteria>")
		value(b, "TzConversion", inUTC)
	case kindTxnDetail, kindBatchDetail, kindBatchSummary:
		if !digits(r.id) {
			return errNoNumber
		}
		name := "BatchId"
		if r.kind == kindTxnDetail {
			name = "TxnId"
		}
		value(b, name, r.id)
		if r.kind != kindBatchSummary {
			value(b, "TzConversion", inUTC)
		}
	case kindOpenAuths:
		value(b, "TzConversion", inUTC)
	}
	return nil
}

func (r request) window(b *bytes.Buffer, from, to string) {
	const layout = "2006-01-02T15:04:05.000Z"
	value(b, from, r.from.UTC().Format(layout))
	value(b, to, r.to.UTC().Format(layout))
}
