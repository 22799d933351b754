package bank

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// readBAI2 reads Cash Management Balance Reporting, version 2: records of comma-separated fields that end in a slash or with their line,
// continued by records 88. Amounts are minor units without a point; whether money came or went is in the type code: 100–399 credits,
// 400–699 debits (BAI2 specification, appendix A). Other codes are loans and the bank's own.
func readBAI2(body []byte, o Options) (File, error) {
	r := bai2Reader{f: File{Format: "bai2"}, o: o}
	for _, rec := range bai2Records(string(body)) {
		r.record(rec)
	}
	r.endAccount()
	if len(r.f.Statements) == 0 {
		return File{}, fault.Msg(fault.Invalid, "read bank file", "the BAI2 file holds no account")
	}
	return r.f, nil
}

// recordStart finds records; some banks write several on a line.
var recordStart = regexp.MustCompile(`(^|\n|/[ \t]*)[ \t]*(01|02|03|16|49|88|98|99),`)

// bai2Record is a record with its continuations.
type bai2Record struct {
	code   string
	fields []string // after the code
}

func bai2Records(text string) (out []bai2Record) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	at := recordStart.FindAllStringSubmatchIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		code, rest := text[m[4]:m[5]], text[m[5]+1:end]
		rest = strings.TrimSuffix(strings.TrimSpace(strings.ReplaceAll(rest, "\n", " ")), "/")
		if code != "88" {
			out = append(out, bai2Record{code, strings.Split(rest, ",")})
		} else if n := len(out); n > 0 {
			out[n-1].add(rest)
		}
	}
	return out
}

// detailFields is how many fields a detail has before its text, with the shortest funds type: type, amount, funds type, bank reference,
// customer reference.
const detailFields = 5

// add continues a record. A detail's text goes on as text; all else as further fields.
func (r *bai2Record) add(rest string) {
	if n := len(r.fields); r.code == "16" && n > detailFields {
		r.fields[n-1] += " " + rest
		return
	}
	r.fields = append(r.fields, strings.Split(rest, ",")...)
}

// field is the n-th field, "" when there are fewer.
func (r bai2Record) field(n int) string {
	if n < len(r.fields) {
		return strings.TrimSpace(r.fields[n])
	}
	return ""
}

// bai2Reader is what is open while the records go by.
type bai2Reader struct {
	f     File
	o     Options
	day   retail.BusinessDate
	money string // of the group
	s     *Statement
	n     int   // details of the open account
	sum   int64 // of all its amounts, as record 49 controls them
}

func (r *bai2Reader) bad(format string, args ...any) {
	where := "the file"
	if r.s != nil {
		where = fmt.Sprintf("entry %d of account %s", r.n, r.s.Account)
	}
	r.f.Bad = append(r.f.Bad, Bad{where, fmt.Sprintf(format, args...)})
}

func (r *bai2Reader) record(rec bai2Record) {
	switch rec.code {
	case "02":
		r.endAccount()
		day, ok := date(rec.field(3))
		if !ok {
			r.bad("the group's date %q is none; its accounts are not read", rec.field(3))
		}
		r.day, r.money = day, rec.field(5)
		if !ok {
			r.day = ""
		}
	case "03":
		r.endAccount()
		r.account(rec)
	case "16":
		r.detail(rec)
	case "49":
		r.control(rec)
		r.endAccount()
	}
}

func (r *bai2Reader) endAccount() {
	if r.s != nil {
		r.f.Statements = append(r.f.Statements, *r.s)
	}
	r.s = nil
}

func (r *bai2Reader) account(rec bai2Record) {
	if r.day == "" {
		return
	}
	// A bank that names no currency reports in dollars (BAI2 specification).
	r.s = &Statement{Account: rec.field(0), Currency: money.Currency(cmp.Or(rec.field(1), r.money, string(r.o.Currency), "USD"))}
	r.n, r.sum = 0, 0
	for at := 2; at < len(rec.fields); {
		code, text := rec.field(at), rec.field(at+1)
		at = fundsEnd(rec, at+3)
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			continue // a summary that only counts
		}
		r.sum += n
		m := money.Of(n, r.s.Currency)
		switch code {
		case "010": // opening ledger
			r.s.Open = &m
		case "015": // closing ledger
			r.s.Close = &m
		}
	}
}

// fundsEnd is the index after the funds type at n: when the money is there, of which the type says in how many fields.
func fundsEnd(rec bai2Record, n int) int {
	switch rec.field(n) {
	case "V": // date, time
		return n + 3
	case "S": // immediate, one day, more days
		return n + 4
	case "D": // so many pairs of days and amount
		pairs, _ := strconv.Atoi(rec.field(n + 1))
		return n + 2 + 2*min(max(pairs, 0), len(rec.fields))
	}
	return n + 1
}

func (r *bai2Reader) detail(rec bai2Record) {
	if r.s == nil {
		return
	}
	r.n++
	n, err := strconv.ParseInt(rec.field(1), 10, 64)
	if err != nil {
		r.bad("its amount %q is none", rec.field(1))
		return
	}
	r.sum += n
	code, err := strconv.Atoi(rec.field(0))
	switch {
	case err == nil && code >= 100 && code < 400:
	case err == nil && code >= 400 && code < 700:
		n = -n
	default:
		r.bad("its type %q is neither a credit (100–399) nor a debit (400–699)", rec.field(0))
		return
	}
	l := Line{Account: r.s.Account, Booked: r.day, Amount: money.Of(n, r.s.Currency), Code: rec.field(0)}
	if v, ok := date(rec.field(3)); ok && rec.field(2) == "V" {
		l.Value = v
	}
	at := fundsEnd(rec, 2)
	l.ID = rec.field(at)
	texts := []string{rec.field(at + 1)}
	for i := at + 2; i < len(rec.fields); i++ {
		texts = append(texts, rec.field(i))
	}
	l.Text = oneLine(texts...)
	r.s.Lines = append(r.s.Lines, l)
}

// control holds the account's own check sum against what was read.
func (r *bai2Reader) control(rec bai2Record) {
	if want, err := strconv.ParseInt(rec.field(0), 10, 64); r.s != nil && err == nil && want != r.sum {
		r.f.Bad = append(r.f.Bad, Bad{"account " + r.s.Account, fmt.Sprintf("the bank's control total is %d, its records come to %d: the file is not whole", want, r.sum)})
	}
}
