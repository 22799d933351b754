package portico

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/tillpost/tillpost/shared/fault"
)

// The reports, by their names on the wire.
const (
	Activity     = "ReportActivity"
	Find         = "FindTransactions"
	TxnDetail    = "ReportTxnDetail"
	BatchHistory = "ReportBatchHistory"
	BatchDetail  = "ReportBatchDetail"
	BatchSummary = "ReportBatchSummary"
	OpenAuths    = "ReportOpenAuths"
	Credentials  = "TestCredentials" // no report: it only tries the key
)

// rowNames is the element that repeats in a report; ReportTxnDetail is its own row.
var rowNames = map[string]string{Activity: "Details", Find: "Transactions", BatchHistory: "Details", BatchDetail: "Details",
	BatchSummary: "Details", OpenAuths: "Details", TxnDetail: ""}

// Answer is what the gateway said to one request.
type Answer struct {
	Code    int
	Text    string // the gateway's own words
	Outcome Outcome
	Site    string
	Device  string
	Report  Report // empty unless Outcome is Done
}

// Report is a report with its rows.
type Report struct {
	Name   string
	header element
	Rows   []Row
}

// Row is one line of a report.
type Row struct{ element }

// ParseAnswer reads a whole SOAP answer. An answer that is none (a proxy's page, a fault, a bomb) has code invalid; over MaxAnswer it is
// ErrTooLarge.
func ParseAnswer(body []byte) (a Answer, err error) {
	root, err := parse(body)
	if err != nil {
		return a, err
	}
	ver := &root
	for _, name := range []string{"Body", "PosResponse", "Ver1.0"} {
		next, ok := ver.find(name)
		if !ok {
			return a, fault.Msg(fault.Invalid, "read answer", fmt.Sprintf("it is no answer of the gateway: <%.40s> holds no %s%s", ver.name, name, soapFault(ver)))
		}
		ver = next
	}
	head, ok := ver.find("Header")
	if !ok {
		return a, fault.Msg(fault.Invalid, "read answer", "it has no header")
	}
	h := Row{*head}
	if a.Code, err = strconv.Atoi(h.Value("GatewayRspCode")); err != nil {
		return a, fault.Msg(fault.Invalid, "read answer", "its response code is missing or no number")
	}
	a.Text, a.Outcome, a.Site, a.Device = h.Value("GatewayRspMsg"), Means(a.Code), h.Value("SiteId"), h.Value("DeviceId")
	if a.Outcome != Done {
		return a, nil
	}
	txn, ok := ver.find("Transaction")
	if !ok || len(txn.kids) != 1 {
		return a, fault.Msg(fault.Invalid, "read answer", "it says success and holds not one result")
	}
	if txn.kids[0].name == Credentials {
		a.Report.Name = Credentials
		return a, nil
	}
	a.Report, err = report(txn.kids[0])
	return a, err
}

func soapFault(e *element) string {
	f, ok := e.find("Fault")
	if !ok {
		return ""
	}
	if s, ok := f.find("faultstring"); ok {
		return fmt.Sprintf("; it says %.200q", s.text)
	}
	return ""
}

// ParseReport reads a report alone, as Row.Cut writes it. Code invalid.
func ParseReport(body []byte) (Report, error) {
	root, err := parse(body)
	if err != nil {
		return Report{}, err
	}
	return report(root)
}

func report(e element) (r Report, err error) {
	row, known := rowNames[e.name]
	if !known {
		return r, fault.Msg(fault.Invalid, "read report", fmt.Sprintf("%.40q is no report that is known", e.name))
	}
	r.Name = e.name
	if row == "" {
		r.Rows = []Row{{e}}
		return r, nil
	}
	for _, k := range e.kids {
		switch k.name {
		case "Header":
			r.header = k
		case row:
			r.Rows = append(r.Rows, Row{k})
		}
	}
	return r, nil
}

// Header is a value of the report's own header, "" when it has none.
func (r Report) Header(name string) string { return Row{r.header}.Value(name) }

// Cut is the report with this row alone, and with nothing that may not be kept. A BatchSummary keeps all its rows: together they are one
// batch.
func (r Report) Cut(row Row) []byte {
	e := element{name: r.Name}
	switch {
	case rowNames[r.Name] == "":
		e.kids = kept(row.kids)
	case r.Name == BatchSummary:
		e.kids = append(e.kids, element{name: "Header", kids: kept(r.header.kids)})
		for _, x := range r.Rows {
			e.kids = append(e.kids, element{name: rowNames[r.Name], kids: kept(x.kids)})
		}
	default:
		e.kids = []element{{name: "Header", kids: kept(r.header.kids)}, {name: rowNames[r.Name], kids: kept(row.kids)}}
	}
	var b bytes.Buffer
	e.write(&b)
	return b.Bytes()
}

// kept drops what is not on the list.
func kept(kids []element) []element {
	out := make([]element, 0, len(kids))
	for _, k := range kids {
		switch {
		case groups[k.name]:
			out = append(out, element{name: k.name, kids: kept(k.kids)})
		case keep[k.name] && len(k.kids) == 0:
			out = append(out, k)
		}
	}
	return out
}

// ID is the gateway's number of the payment, or of the batch.
func (r Row) ID() string {
	if id := r.Value("GatewayTxnId"); id != "" {
		return id
	}
	return r.Value("BatchId")
}

// Value is the text of an element, looked for in the row and in its groups; "" when there is none.
func (r Row) Value(name string) string {
	if e, ok := r.find(name); ok {
		return e.text
	}
	for i := range r.kids {
		if groups[r.kids[i].name] {
			if e, ok := r.kids[i].find(name); ok {
				return e.text
			}
		}
	}
	return ""
}

// repeats names a value that stands in the row more than once, in itself or in its groups: nobody could say which one is meant.
func (r Row) repeats(names ...string) (string, bool) {
	seen := make([]string, 0, len(names))
	look := func(kids []element) (string, bool) {
		for _, k := range kids {
			if slices.Contains(names, k.name) {
				if slices.Contains(seen, k.name) {
					return k.name, true
				}
				seen = append(seen, k.name)
			}
		}
		return "", false
	}
	if n, ok := look(r.kids); ok {
		return n, true
	}
	for _, k := range r.kids {
		if groups[k.name] {
			if n, ok := look(k.kids); ok {
				return n, true
			}
		}
	}
	return "", false
}
