package portico

import (
	"fmt"
	"strconv"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

var batchStates = map[string]retail.BatchState{"O": retail.BatchOpen, "P": retail.BatchClosing, "C": retail.BatchClosed, "V": retail.BatchVoided, "E": retail.BatchFailed}

// batch reads a line of the history, or a whole summary, whose facts stand in its header and whose rows are the brands.
func (r Record) batch(rep Report) (retail.Record, error) {
	row := Row{rep.header}
	if rep.Name == BatchHistory {
		if len(rep.Rows) != 1 {
			return nil, fault.Msg(fault.Invalid, "read batch", "the history holds no row")
		}
		row = rep.Rows[0]
	}
	id := row.Value("BatchId")
	bad := func(err error) (retail.Record, error) { return nil, fault.New(fault.Invalid, "read batch "+id, err) }
	if !number(id) {
		return bad(fmt.Errorf("it has no number"))
	}
	state, ok := batchStates[row.Value("BatchStatus")]
	if !ok {
		return bad(fmt.Errorf("its status %.20q is not one of O, P, C, V, E", row.Value("BatchStatus")))
	}
	b := retail.Batch{Key: retail.Key{System: System, Record: "batch", ID: id}, Merchant: r.Site, Device: row.Value("DeviceId"), Number: row.Value("BatchSeqNbr"),
		Location: r.Location, State: state, Revision: r.Asked.UnixMicro()}
	if state.Final() {
		b.Revision += later
	}
	var err error
	if b.Opened, err = utc("OpenUtcDT", row.Value("OpenUtcDT")); err != nil {
		return bad(err)
	}
	if s := row.Value("CloseUtcDT"); s != "" {
		if b.Closed, err = utc("CloseUtcDT", s); err != nil {
			return bad(err)
		}
	}
	count, total := "BatchTxnCnt", "BatchTxnAmt"
	if rep.Name == BatchSummary {
		count, total = "TotalCnt", "TotalAmt"
	}
	if b.Count, err = strconv.Atoi(orZero(row.Value(count))); err != nil || b.Count < 0 {
		return bad(fmt.Errorf("%s is no count", count))
	}
	if b.Total, err = money.Parse(orZero(row.Value(total)), r.Currency); err != nil {
		return bad(fmt.Errorf("%s: %w", total, err))
	}
	if rep.Name == BatchSummary {
		if b.Tips, err = money.Parse(orZero(row.Value("TotalGratuityAmtInfo")), r.Currency); err != nil {
			return bad(err)
		}
		if b.ByBrand, err = r.brands(rep); err != nil {
			return bad(err)
		}
	}
	return b, nil
}

func (r Record) brands(rep Report) (map[string]money.Amount, error) {
	out := map[string]money.Amount{}
	for _, row := range rep.Rows {
		a, err := money.Parse(orZero(row.Value("TotalAmt")), r.Currency)
		if err != nil {
			return nil, fmt.Errorf("brand %.20s: %w", row.Value("CardType"), err)
		}
		if out[row.Value("CardType")], err = out[row.Value("CardType")].Add(a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}
