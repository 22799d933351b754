package portico

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Path is where the gateway listens.
const Path = "/Hps.Exchange.PosGateway/PosGatewayService.asmx"

// node is a request's XML.
type node struct {
	name string
	text string
	kids []*node
}

func (n *node) at(path string) *node {
	for _, name := range strings.Split(path, "/") {
		if n == nil {
			return nil
		}
		i := slices.IndexFunc(n.kids, func(k *node) bool { return k.name == name })
		if i < 0 {
			return nil
		}
		n = n.kids[i]
	}
	return n
}

func (n *node) value(path string) string {
	if x := n.at(path); x != nil {
		return strings.TrimSpace(x.text)
	}
	return ""
}

func read(r io.Reader) (*node, error) {
	d := xml.NewDecoder(r)
	root := &node{}
	stack := []*node{root}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := tok.(type) {
		case xml.StartElement:
			k := &node{name: t.Name.Local}
			top.kids = append(top.kids, k)
			stack = append(stack, k)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
}

// ServeHTTP answers as the gateway does: HTTP 200 whatever the outcome.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", g.o.Now().UTC().Format(http.TimeFormat))
	if r.URL.Path != Path || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	root, err := read(http.MaxBytesReader(w, r.Body, 1<<20))
	ver := root.at("Envelope/Body/PosRequest/Ver1.0")
	if err != nil || ver == nil {
		http.Error(w, "soap fault", http.StatusInternalServerError)
		return
	}
	txn := ver.at("Transaction")
	if txn == nil || len(txn.kids) != 1 {
		http.Error(w, "soap fault", http.StatusInternalServerError)
		return
	}
	req := txn.kids[0]
	g.mu.Lock()
	g.asked = append(g.asked, req.name)
	g.mu.Unlock()
	if g.Trouble.spoils(w, req.name) {
		return
	}
	g.mu.Lock()
	a := g.answer(ver.at("Header"), req)
	g.mu.Unlock()
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = io.WriteString(w, a)
}

// words are the gateway's own, as far as they were ever recorded.
var words = map[int]string{0: "Success", -2: "Authentication Error", -21: "Unauthorized", 3: "Transaction rejected because the referenced original transaction is invalid. Original transaction not found.",
	5: "Transaction was rejected because it requires a batch to be open.", 7: "Invalid report parameters", 9: "Batch close was rejected because no transactions are associated with the currently open batch.",
	10: "Empty report", 20: "Database operation time-out", 30: "Transaction has timed out.  You may need to submit a reversal for the transaction."}

// answer is the whole SOAP answer to a request.
func (g *Gateway) answer(head, req *node) string {
	device, code := g.enter(head)
	body, id := "", int64(0)
	if code == 0 {
		code = g.Trouble.code(req.name)
	}
	if code == 0 {
		body, id, code = g.serve(req, head, device)
	}
	if id == 0 { // every request has a number, and stands in the activity
		t := &Txn{Service: req.name, Device: device}
		g.book(t)
		id = t.ID
	}
	now := g.o.Now().UTC()
	h := tags("LicenseId", g.o.License, "SiteId", g.o.Site, "DeviceId", device, "GatewayTxnId", strconv.FormatInt(id, 10), "GatewayRspCode", strconv.Itoa(code),
		"GatewayRspMsg", words[code], "RspDT", now.Add(-6*time.Hour).Format("2006-01-02T15:04:05.0000000"))
	if c := head.value("ClientTxnId"); c != "" {
		h += tags("ClientTxnId", c)
	}
	if code == 0 {
		body = "<Transaction>" + body + "</Transaction>"
	} else {
		body = ""
	}
	return `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>` +
		`<PosResponse rootUrl="https://127.0.0.1/Hps.Exchange.PosGateway" xmlns="http://Hps.Exchange.PosGateway"><Ver1.0><Header>` + h + `</Header>` + body + `</Ver1.0></PosResponse></soap:Body></soap:Envelope>`
}

// enter checks the credentials: a key, or all five of the older kind, never both.
func (g *Gateway) enter(h *node) (device string, code int) {
	key := h.value("SecretAPIKey")
	five := []string{h.value("LicenseId"), h.value("SiteId"), h.value("DeviceId"), h.value("UserName"), h.value("Password")}
	given := slices.ContainsFunc(five, func(s string) bool { return s != "" })
	switch {
	case key != "" && given:
		return "", -2
	case key != "" && g.revoked[key]:
		return "", -21
	case key != "" && slices.Contains(g.o.Keys, key):
		return g.o.Device, 0
	case key == "" && g.o.User != "" && slices.Equal(five, []string{g.o.License, g.o.Site, five[2], g.o.User, g.o.Password}) && five[2] != "":
		return five[2], 0
	}
	return "", -2
}

// serve answers an admitted request.
func (g *Gateway) serve(req, head *node, device string) (body string, id int64, code int) {
	if strings.HasPrefix(req.name, "Report") || req.name == "FindTransactions" {
		body, code = g.report(req, device)
		return body, 0, code
	}
	switch req.name {
	case "TestCredentials":
		return "<TestCredentials />", 0, 0
	case "BatchClose":
		b, code := g.close(device)
		if code != 0 {
			return "", 0, code
		}
		n, sum := g.sum(b)
		return "<BatchClose>" + tags("BatchId", itoa(b.ID), "TxnCnt", strconv.Itoa(n), "TotalAmt", text(sum), "BatchSeqNbr", strconv.Itoa(b.Seq)) + "</BatchClose>", 0, 0
	case "CreditSale", "CreditAuth", "CreditReturn", "DebitSale", "GiftCardSale":
		return g.pay(req, head, device)
	case "CreditVoid", "CreditTxnEdit", "CreditAddToBatch", "CreditReversal":
		in := req
		if b := req.at("Block1"); b != nil {
			in = b
		}
		of, _ := strconv.ParseInt(in.value("GatewayTxnId"), 10, 64)
		amt, _ := cents(in.value("Amt"))
		tip, _ := cents(in.value("GratuityAmtInfo"))
		t, code := g.act(req.name, of, amt, tip)
		if req.name == "CreditReversal" {
			return "<CreditReversal>" + tags("RspCode", "00", "RspText", "APPROVAL", "AuthCode", t.AuthCode, "RefNbr", t.Ref) + "</CreditReversal>", t.ID, code
		}
		return "<" + req.name + " />", t.ID, code
	}
	return "", 0, -1
}

// declines are the certification gateway's magic amounts.
var declines = map[int64][2]string{1008: {"51", "DECLINE"}, 1025: {"05", "DECLINE"}, 1034: {"02", "CALL"}, 1033: {"91", "NO REPLY"}}

func (g *Gateway) pay(req, head *node, device string) (string, int64, int) {
	b := req.at("Block1")
	amt, ok := cents(b.value("Amt"))
	if !ok {
		return "", 0, -1
	}
	t := &Txn{Service: req.name, Device: device, Client: head.value("ClientTxnId"), Amt: amt, Issuer: "00", Brand: "Visa", Masked: masked(b),
		Invoice: b.value("AdditionalTxnFields/InvoiceNbr")}
	t.Tip, _ = cents(b.value("GratuityAmtInfo"))
	if of := b.value("GatewayTxnId"); of != "" {
		id, _ := strconv.ParseInt(of, 10, 64)
		o := g.find(id)
		if o == nil {
			return "", 0, 3
		}
		t.Masked, t.Brand = o.Masked, o.Brand
	}
	says := "APPROVAL"
	if d, no := declines[amt]; no {
		t.Issuer, says = d[0], d[1]
	}
	g.charge(t)
	if req.name == "CreditReturn" {
		return "<CreditReturn />", t.ID, 0
	}
	return "<" + req.name + ">" + tags("RspCode", t.Issuer, "RspText", says, "AuthCode", t.AuthCode, "AVSRsltCode", "0", "RefNbr", t.Ref, "CardType", t.Brand,
		"TokenPANLast4", t.Masked[len(t.Masked)-4:]) + "</" + req.name + ">", t.ID, 0
}

// masked is what is kept of the card that a request names.
func masked(b *node) string {
	for _, path := range []string{"CardData/ManualEntry/CardNbr", "CardData/CardNbr"} {
		if n := b.value(path); len(n) >= 13 {
			return n[:6] + strings.Repeat("*", len(n)-10) + n[len(n)-4:]
		}
	}
	if t := b.value("CardData/TokenData/TokenValue"); len(t) >= 4 {
		return "411111******" + t[len(t)-4:] // a token ends as its card does
	}
	return "411111******1111"
}

// tags writes name and value pairs; a value that is empty becomes an empty element.
func tags(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			fmt.Fprintf(&b, "<%s />", pairs[i])
			continue
		}
		fmt.Fprintf(&b, "<%s>", pairs[i])
		_ = xml.EscapeText(&b, []byte(pairs[i+1]))
		fmt.Fprintf(&b, "</%s>", pairs[i])
	}
	return b.String()
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
