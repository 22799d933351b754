package terminal

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

type object = map[string]any

// reply is what is answered, in one message or more.
func (t *Terminal) reply(c command, trouble Trouble) []string {
	d := c.Data
	name := d.Command
	if trouble == Impostor {
		name = "Reboot"
	}
	message := func(result object, data object) string {
		inner := object{"response": name, "EcrId": d.EcrID, "requestId": d.RequestID, "cmdResult": result}
		if data != nil {
			inner["data"] = data
		}
		b, err := json.Marshal(object{"message": "MSG", "data": inner})
		if err != nil {
			panic("BUG: " + err.Error())
		}
		return string(b)
	}
	good := object{"result": "Success"}
	bad := func(code, words string) []string {
		return []string{message(object{"result": "Failed", "errorCode": code, "errorMessage": words}, nil)}
	}
	if trouble == Refusing && strings.HasPrefix(d.Command, "Get") {
		return bad("REP001", "REPORT NOT AVAILABLE")
	}
	switch d.Command {
	case "Ping", "LineItemDisplay", "CancelTransaction", "Reboot":
		return []string{message(good, nil)}
	case "GetAppInfo":
		return []string{message(good, object{"deviceSerialNum": t.Serial, "appVersion": t.Version, "OsVersion": t.System, "EmvSdkVersion": "4.2", "CTLSSdkVersion": "1.1"})}
	case "AvailableBatches":
		var ids []object
		for _, b := range t.batches {
			ids = append(ids, object{"batchId": b.ID})
		}
		return []string{message(good, object{"batchesAvail": ids})}
	case "GetBatchReport", "GetBatchDetails":
		b := t.batch(fmt.Sprint(d.Data.Params["batch"]))
		if b == nil {
			return bad("REP002", "NO SUCH BATCH")
		}
		return []string{message(good, object{"merchantName": "SIM", "multipleMessage": "0", "batchRecord": t.record(b, d.Command == "GetBatchDetails")})}
	case "GetSAFReport", "SendSAF":
		if d.Command == "SendSAF" {
			t.send(0)
		}
		if len(t.saf) == 0 {
			return []string{message(good, nil)}
		}
		groups := t.groups()
		if trouble == InParts && len(groups) > 1 {
			return []string{message(good, object{"multipleMessage": "1", "SafDetails": groups[:1]}), message(good, object{"multipleMessage": "0", "SafDetails": groups[1:]})}
		}
		return []string{message(good, object{"multipleMessage": "0", "SafDetails": groups})}
	case "GetLastEOD", "EODProcessing":
		if d.Command == "EODProcessing" {
			t.endOfDay()
		}
		if len(t.batches) < 2 {
			return bad("EOD001", "NO END OF DAY YET")
		}
		b := t.batches[len(t.batches)-2]
		return []string{message(good, object{"multipleMessage": "0", "host": object{"respDateTime": b.Closed.In(t.zone).Format("20060102T150405"), "gatewayResponseCode": "0",
			"gatewayResponseMessage": "Success", "batchId": b.ID}})}
	case "GetOpenTabDetails":
		return []string{message(good, object{"merchantName": "SIM", "multipleMessage": "0", "OpenTabDetails": []object{}})}
	case "Sale", "Refund":
		return []string{message(good, t.sale(d.Command, d.Data.Transaction))}
	}
	return bad("CMD001", "UNKNOWN COMMAND "+d.Command)
}

// sale takes a payment and answers as a terminal does after one.
func (t *Terminal) sale(kind string, tx object) object {
	cents := parse(tx["baseAmount"]) + parse(tx["taxAmount"])
	if kind == "Refund" {
		cents = -parse(tx["totalAmount"])
	}
	p := t.take(cents, parse(tx["tipAmount"]), "VISA", "")
	p.Amount += p.Tip
	host := object{"responseId": strconv.FormatInt(p.Gateway, 10), "tranNo": fmt.Sprintf("%04d", p.Number), "respDateTime": p.At.In(t.zone).Format("20060102T150405"),
		"gatewayResponseCode": "0", "gatewayResponseMessage": "Success", "responseCode": "00", "responseText": "APPROVAL", "approvalCode": "77972A", "referenceNumber": p.Ref,
		"batchId": strconv.FormatInt(t.open().ID, 10), "batchSeqNbr": strconv.Itoa(t.open().Sequence), "totalAmount": money(p.Amount), "authorizedAmount": money(p.Amount)}
	return object{"multipleMessage": "0", "host": host, "payment": object{"cardType": p.Brand, "maskedPan": p.Masked, "transactionType": kind, "cardAcquisition": "Contactless"},
		"transaction": object{"totalAmount": money(p.Amount), "tipAmount": money(p.Tip)}}
}

func (t *Terminal) batch(id string) *Batch {
	for _, b := range t.batches {
		if strconv.FormatInt(b.ID, 10) == id {
			return b
		}
	}
	return nil
}

func (t *Terminal) record(b *Batch, detail bool) object {
	var total, sales, returns int64
	nSale, nReturn := 0, 0
	brands, rows := map[string]int64{}, []object{}
	for _, p := range b.Payments {
		status, kind, cents := "APPROVED", "Sale", p.Amount
		if p.Refund {
			kind, cents = "Refund", -p.Amount
		}
		if p.Void {
			status = "VOIDED"
		} else {
			total += cents
			brands[p.Brand] += cents
			if p.Refund {
				nReturn, returns = nReturn+1, returns+p.Amount
			} else {
				nSale, sales = nSale+1, sales+p.Amount
			}
		}
		rows = append(rows, object{"transactionTime": p.At.In(t.zone).Format("01/02/06 3:04 PM"), "approvalCode": "77972A", "authorizedAmount": money(p.Amount), "cardType": p.Brand,
			"maskedPAN": p.Masked, "referenceNumber": p.Ref, "gatewayTxnId": strconv.FormatInt(p.Gateway, 10), "requestedAmount": money(p.Amount), "responseCode": "00",
			"responseText": "APPROVAL", "transactionStatus": status, "transactionType": kind, "tipAmount": money(p.Tip), "settleAmount": money(p.Amount), "invoiceNbr": p.Invoice})
	}
	r := object{"batchId": b.ID, "batchSeqNbr": b.Sequence, "batchStatus": "O", "openUtcDateTime": b.Opened.UTC().Format("2006-01-02T15:04:05.000Z"), "openTnxId": "1800000500",
		"totalAmount": money(total), "totalCnt": nSale + nReturn, "saleCnt": nSale, "saleAmt": money(sales), "returnCnt": nReturn, "returnAmt": money(returns)}
	if !b.Closed.IsZero() {
		r["batchStatus"], r["closeUtcDateTime"] = "C", b.Closed.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	if detail {
		r["batchDetailRecords"] = rows
		return r
	}
	var sums []object
	for name, cents := range brands {
		sums = append(sums, object{"cardType": name, "totalAmount": money(cents)})
	}
	r["batchTransactions"] = sums
	return r
}

// groups are the offline payments by what became of them; as seen on real terminals, the sum of those that were sent says 0.
func (t *Terminal) groups() (out []object) {
	for _, g := range []struct{ state, kind string }{{"sent", "AUTHORIZED TRANSACTIONS"}, {"held", "PENDING TRANSACTIONS"}, {"failed", "FAILED TRANSACTIONS"}} {
		var rows []object
		var total int64
		for _, p := range t.saf {
			if p.State != g.state {
				continue
			}
			kind := "1"
			if p.Refund {
				kind = "2"
			}
			total += p.Amount
			rows = append(rows, object{"transactionTime": p.At.In(t.zone).Format("01/02/06 3:04 PM"), "transactionType": kind, "maskedPan": p.Masked, "cardType": p.Brand,
				"safReferenceNumber": fmt.Sprintf("P%07d", p.Number), "tranNo": fmt.Sprintf("%04d", p.Number), "baseAmount": money(p.Amount - p.Tip), "tipAmount": money(p.Tip),
				"taxAmount": "0.00", "totalAmount": money(p.Amount), "cardAcquisition": "INSERT", "responseCode": "00"})
		}
		if len(rows) == 0 {
			continue
		}
		sum := money(total)
		if g.state == "sent" {
			sum = "0"
		}
		out = append(out, object{"SafType": g.kind, "SafCount": strconv.Itoa(len(rows)), "SafTotal": sum, "SafRecords": rows})
	}
	return out
}

func money(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}

// parse reads "12.01" into cents; nothing is 0.
func parse(v any) int64 {
	s, _ := v.(string)
	whole, part, _ := strings.Cut(s, ".")
	n, _ := strconv.ParseInt(whole, 10, 64)
	c, _ := strconv.ParseInt((part + "00")[:2], 10, 64)
	return n*100 + c
}
