package portico

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const zulu = "2006-01-02T15:04:05.000Z"

// report answers a report request. Nothing that is older than 90 days exists.
func (g *Gateway) report(req *node, device string) (string, int) {
	now := g.o.Now().UTC()
	day := now.Truncate(24 * time.Hour)
	switch req.name {
	case "ReportActivity":
		from, to, ok := window(req, "RptStartUtcDT", "RptEndUtcDT", day, day.AddDate(0, 0, 1))
		if !ok {
			return "", 7
		}
		return g.activity(from, to, req.value("DeviceId"))
	case "FindTransactions":
		return g.search(req, day)
	case "ReportTxnDetail":
		return g.detail(req.value("TxnId"))
	case "ReportOpenAuths":
		return g.openAuths()
	}
	if g.o.HostManaged {
		return "", 7
	}
	switch req.name {
	case "ReportBatchHistory":
		from, to, ok := window(req, "RptStartUtcDT", "RptEndUtcDT", day.AddDate(0, 0, -6), day.AddDate(0, 0, 1))
		if !ok {
			return "", 7
		}
		return g.history(from, to, req.value("DeviceId"))
	case "ReportBatchDetail", "ReportBatchSummary":
		b, code := g.batch(req.value("BatchId"), device)
		switch {
		case code != 0:
			return "", code
		case req.name == "ReportBatchDetail":
			return g.batchDetail(b), 0
		}
		return g.batchSummary(b), 0
	}
	return "", -1
}

// window reads a report's dates; the end must be after the start.
func window(req *node, start, end string, from, to time.Time) (time.Time, time.Time, bool) {
	for _, f := range []struct {
		name string
		to   *time.Time
	}{{start, &from}, {end, &to}} {
		if s := req.value(f.name); s != "" {
			t, err := time.Parse(time.RFC3339Nano, s)
			if err != nil {
				return from, to, false
			}
			*f.to = t
		}
	}
	return from, to, to.After(from)
}

// between lists what happened in a window, as far as it is remembered.
func (g *Gateway) between(from, to time.Time, fits func(*Txn) bool) (out []*Txn) {
	edge := g.o.Now().Add(-remembers)
	for _, t := range g.txns {
		if !t.At.Before(from) && t.At.Before(to) && t.At.After(edge) && fits(t) {
			out = append(out, t)
		}
	}
	return out
}

func (g *Gateway) activity(from, to time.Time, device string) (string, int) {
	ts := g.between(from, to, func(t *Txn) bool { return device == "" || t.Device == device })
	if len(ts) == 0 {
		return "", 10
	}
	payments := 0
	for _, t := range ts {
		if t.Status != "" {
			payments++
		}
	}
	if payments > g.o.MaxRows {
		return "", 20
	}
	slices.SortStableFunc(ts, func(a, b *Txn) int { return cmp.Or(cmp.Compare(a.Device, b.Device), a.At.Compare(b.At)) })
	var b strings.Builder
	for _, t := range ts {
		b.WriteString("<Details>" + tags("DeviceId", t.Device, "UserName", "till", "ServiceName", t.Service, "GatewayTxnId", itoa(t.ID), "TxnUtcDT", t.At.UTC().Format(zulu),
			"OriginalGatewayTxnId", itoa(t.Original), "SiteTrace", "", "GatewayRspCode", strconv.Itoa(t.Code), "GatewayRspMsg", words[t.Code], "Status", t.Status,
			"IssuerRspCode", t.Issuer, "IssuerRspText", "", "MaskedCardNbr", t.Masked, "Amt", text(t.Amt), "TzConversion", "UTC", "TxnDT", t.At.UTC().Format("2006-01-02T15:04:05.000"),
			"AuthAmt", text(t.Auth), "SettlementAmt", text(t.Settle), "ClerkID", t.Clerk) + "</Details>")
	}
	head := tags("RptStartUtcDT", from.UTC().Format(zulu), "RptEndUtcDT", to.UTC().Format(zulu), "SiteId", g.o.Site, "MerchName", "Trail Shop", "TxnCnt", strconv.Itoa(len(ts)))
	return "<ReportActivity><Header>" + head + "</Header>" + b.String() + "</ReportActivity>", 0
}

func (g *Gateway) search(req *node, day time.Time) (string, int) {
	fits := func(t *Txn) bool { return t.Status != "" }
	from, to := g.o.Now().Add(-remembers), g.o.Now().AddDate(0, 0, 1)
	c := req.at("Criteria")
	if c == nil {
		c = &node{}
	}
	switch id, batch := req.value("TxnId"), c.value("BatchId"); {
	case id != "": // it overrides everything else
		fits = func(t *Txn) bool { return itoa(t.ID) == id }
	case batch != "":
		fits = func(t *Txn) bool { return t.Batch != 0 && itoa(t.Batch) == batch }
	default:
		var ok bool
		if from, to, ok = window(c, "StartUtcDT", "EndUtcDT", day.AddDate(0, 0, -6), day.AddDate(0, 0, 1)); !ok {
			return "", 7
		}
	}
	ts := g.between(from, to, fits)
	if len(ts) == 0 {
		return "", 10
	}
	if len(ts) > g.o.MaxRows {
		return "", 20
	}
	var b strings.Builder
	for _, t := range ts {
		b.WriteString("<Transactions>" + tags("GatewayTxnId", itoa(t.ID), "ClientTxnId", t.Client, "GatewayRspCode", strconv.Itoa(t.Code), "GatewayRspMsg", words[t.Code], "CardType", t.Brand,
			"MaskedCardNbr", t.Masked, "CardSwiped", "Y") + "<CardHolderData><CardHolderFirstName>Pat</CardHolderFirstName><CardHolderLastName>Example</CardHolderLastName></CardHolderData>" +
			tags("PaymentType", "CREDIT", "ServiceName", t.Service, "TxnStatus", t.Status, "AuthCode", t.AuthCode, "Amt", text(t.Amt), "AuthAmt", text(t.Auth), "SettlementAmt", text(t.Settle),
				"GratuityAmtInfo", text(t.Tip), "UserName", "till", "ClerkID", t.Clerk, "RspDT", t.At.UTC().Add(-6*time.Hour).Format("2006-01-02T15:04:05.000"), "RspCode", t.Issuer, "RspText", "",
				"RefNbr", t.Ref, "OriginalGatewayTxnId", itoa(t.Original)) +
			"<AdditionalTxnFields>" + tags("Description", "", "InvoiceNbr", t.Invoice, "CustomerID", "") + "</AdditionalTxnFields></Transactions>")
	}
	return "<FindTransactions>" + b.String() + "</FindTransactions>", 0
}

func (g *Gateway) detail(id string) (string, int) {
	n, _ := strconv.ParseInt(id, 10, 64)
	t := g.find(n)
	if t == nil || t.At.Before(g.o.Now().Add(-remembers)) {
		return "", 3
	}
	return "<ReportTxnDetail>" + tags("GatewayTxnId", itoa(t.ID), "ClientTxnId", t.Client, "SiteId", g.o.Site, "MerchName", "Trail Shop", "DeviceId", t.Device, "UserName", "till",
		"ServiceName", t.Service, "GatewayRspCode", strconv.Itoa(t.Code), "GatewayRspMsg", words[t.Code], "ReqUtcDT", t.At.UTC().Format(zulu), "ReqDT", t.At.UTC().Format("2006-01-02T15:04:05.000"),
		"RspUtcDT", t.At.UTC().Format(zulu), "RspDT", t.At.UTC().Format("2006-01-02T15:04:05.000"), "SiteTrace", "", "OriginalGatewayTxnId", itoa(t.Original), "MerchNbr", "777701389344") +
		"<Data>" + tags("TxnStatus", t.Status, "CardType", t.Brand, "MaskedCardNbr", t.Masked, "CardSwiped", "Y", "DebitCreditInd", "C", "SaleReturnInd", direction(t), "Amt", text(t.Amt),
		"AuthAmt", text(t.Auth), "GratuityAmtInfo", text(t.Tip), "RspCode", t.Issuer, "RspText", "", "AuthCode", t.AuthCode, "RefNbr", t.Ref, "SettlementAmt", text(t.Settle)) +
		"<AdditionalTxnFields>" + tags("InvoiceNbr", t.Invoice) + "</AdditionalTxnFields></Data></ReportTxnDetail>", 0
}

func direction(t *Txn) string {
	if t.returns() {
		return "R"
	}
	return "S"
}

func (g *Gateway) openAuths() (string, int) {
	var b strings.Builder
	n, sum := 0, int64(0)
	for _, t := range g.txns {
		if t.Service == "CreditAuth" && t.Status == "A" && t.Batch == 0 {
			n, sum = n+1, sum+t.Auth
			b.WriteString("<Details>" + tags("DeviceId", t.Device, "GatewayTxnId", itoa(t.ID), "TxnStatus", t.Status, "TxnUtcDT", t.At.UTC().Format(zulu), "SiteTrace", "", "DebitCreditInd", "C",
				"SaleReturnInd", "S", "CardType", t.Brand, "MaskedCardNbr", t.Masked, "Amt", text(t.Amt), "AuthAmt", text(t.Auth), "SettlementAmt", "0", "RspCode", t.Issuer, "AuthCode", t.AuthCode) + "</Details>")
		}
	}
	if n == 0 {
		return "", 10
	}
	return "<ReportOpenAuths><Header>" + tags("SiteId", g.o.Site, "MerchName", "Trail Shop", "TxnCnt", strconv.Itoa(n), "TxnAmt", text(sum)) + "</Header>" + b.String() + "</ReportOpenAuths>", 0
}

// facts are a batch's as every batch report spells them.
func (g *Gateway) facts(b *Batch) []string {
	status := "O"
	if !b.Closed.IsZero() {
		status = "C"
	}
	out := []string{"DeviceId", b.Device, "BatchId", itoa(b.ID), "BatchStatus", status, "BatchSeqNbr", strconv.Itoa(b.Seq), "OpenUtcDT", b.Opened.UTC().Format(zulu)}
	if status == "C" {
		out = append(out, "CloseUtcDT", b.Closed.UTC().Format(zulu))
	}
	return out
}

func (g *Gateway) history(from, to time.Time, device string) (string, int) {
	var out strings.Builder
	n, sum := 0, int64(0)
	edge := g.o.Now().Add(-remembers)
	for _, b := range g.batches {
		if b.Opened.Before(from) || !b.Opened.Before(to) || b.Opened.Before(edge) || device != "" && device != b.Device {
			continue
		}
		cnt, amt := g.sum(b)
		n, sum = n+1, sum+amt
		out.WriteString("<Details>" + tags(append(g.facts(b), "OpenTxnId", "1", "BatchTxnCnt", strconv.Itoa(cnt), "BatchTxnAmt", text(amt), "TzConversion", "UTC")...) + "</Details>")
	}
	if n == 0 {
		return "", 10
	}
	return "<ReportBatchHistory><Header>" + tags("RptStartUtcDT", from.UTC().Format(zulu), "RptEndUtcDT", to.UTC().Format(zulu), "SiteId", g.o.Site, "MerchName", "Trail Shop",
		"BatchCnt", strconv.Itoa(n), "BatchAmt", text(sum)) + "</Header>" + out.String() + "</ReportBatchHistory>", 0
}

// batch finds the one that is asked for: by number, else the terminal's open one.
func (g *Gateway) batch(id, device string) (*Batch, int) {
	for _, b := range g.batches {
		switch {
		case b.Opened.Before(g.o.Now().Add(-remembers)):
		case id == "" && b.Device == device && b.Closed.IsZero():
			return b, 0
		case id != "" && itoa(b.ID) == id && g.o.OwnBatchOnly && b.Device != device:
			return nil, -21
		case id != "" && itoa(b.ID) == id:
			return b, 0
		}
	}
	if id == "" {
		return nil, 5
	}
	return nil, 10
}

func (g *Gateway) batchDetail(b *Batch) string {
	var out strings.Builder
	n, sum := g.sum(b)
	for _, t := range g.txns {
		if t.Batch != b.ID {
			continue
		}
		status := t.Status
		if b.race > 0 && status == "C" {
			status = "A"
		}
		out.WriteString("<Details>" + tags("GatewayTxnId", itoa(t.ID), "TxnUtcDT", t.At.UTC().Format(zulu), "TxnStatus", status, "SiteTrace", "", "DebitCreditInd", "C", "SaleReturnInd", direction(t),
			"CardSwiped", "Y", "CardType", t.Brand, "MaskedCardNbr", t.Masked, "CardHolderLastName", "Example", "GratuityAmtInfo", text(t.Tip), "AuthAmt", text(t.Auth), "SettlementAmt", text(t.Settle),
			"RspCode", t.Issuer, "RspText", "", "AuthCode", t.AuthCode, "TzConversion", "UTC", "TxnDT", t.At.UTC().Format("2006-01-02T15:04:05.000"), "Amt", text(t.Amt), "ClerkID", t.Clerk,
			"ServiceName", t.Service, "ClientTxnId", t.Client) + "</Details>")
	}
	if b.race > 0 {
		b.race--
	}
	head := append([]string{"SiteId", g.o.Site, "MerchName", "Trail Shop"}, g.facts(b)...)
	return "<ReportBatchDetail><Header>" + tags(append(head, "OpenTxnId", "1", "BatchTxnCnt", strconv.Itoa(n), "BatchTxnAmt", text(sum))...) + "</Header>" + out.String() + "</ReportBatchDetail>"
}

func (g *Gateway) batchSummary(b *Batch) string {
	type line struct {
		cnt, sales, returns int
		amt, sold, gave     int64
	}
	lines, tips := map[string]*line{}, int64(0)
	all := &line{}
	for _, t := range g.txns {
		if t.Batch != b.ID || t.Status != "A" && t.Status != "C" {
			continue
		}
		if lines[t.Brand] == nil {
			lines[t.Brand] = &line{}
		}
		for _, l := range []*line{lines[t.Brand], all} {
			l.cnt, l.amt = l.cnt+1, l.amt+t.signed()
			if t.returns() {
				l.returns, l.gave = l.returns+1, l.gave+t.Settle
			} else {
				l.sales, l.sold = l.sales+1, l.sold+t.Settle
			}
		}
		tips += t.Tip
	}
	cols := func(l *line) []string {
		return []string{"CreditCnt", strconv.Itoa(l.cnt), "CreditAmt", text(l.amt), "DebitCnt", "0", "DebitAmt", "0", "SaleCnt", strconv.Itoa(l.sales), "SaleAmt", text(l.sold),
			"ReturnCnt", strconv.Itoa(l.returns), "ReturnAmt", text(l.gave), "TotalCnt", strconv.Itoa(l.cnt), "TotalAmt", text(l.amt)}
	}
	var out strings.Builder
	brands := make([]string, 0, len(lines))
	for k := range lines {
		brands = append(brands, k)
	}
	slices.Sort(brands)
	for _, k := range brands {
		out.WriteString("<Details>" + tags(append([]string{"CardType", k}, cols(lines[k])...)...) + "</Details>")
	}
	head := append([]string{"SiteId", g.o.Site, "MerchName", "Trail Shop"}, g.facts(b)...)
	return "<ReportBatchSummary><Header>" + tags(append(append(head, cols(all)...), "TotalGratuityAmtInfo", text(tips))...) + "</Header>" + out.String() + "</ReportBatchSummary>"
}
