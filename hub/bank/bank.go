// Package bank reads a bank's statement files: BAI2, OFX, CAMT.053 and CSV. It is pure. A line that cannot be read is listed with its place
// and reason, and the others go on; nothing is guessed about money.
package bank

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// MaxFile bounds a statement file: a month of a chain of a thousand stores is about 10 MB.
const MaxFile = 64 << 20

// Line is one movement on a bank account as the bank booked it.
type Line struct {
	Account string              // the bank's account number or IBAN
	ID      string              // the bank's own id of the movement; "" = it gives none
	Booked  retail.BusinessDate // when it stands in the account
	Value   retail.BusinessDate // when it counts for interest; "" = not told
	Amount  money.Amount        // positive came in, negative went out
	Text    string              // descriptor and remittance text, one line
	Code    string              // the bank's type: BAI2 "165", OFX "CREDIT", CAMT "PMNT/RCDT"
	Key     string              // names the movement for good, whichever file it comes in; set by Read
}

// Statement is what a file says of one account.
type Statement struct {
	Account  string
	Currency money.Currency
	Open     *money.Amount // booked balance before; nil = not told
	Close    *money.Amount // booked balance after
	Lines    []Line
}

// Bad is a part of a file that could not be read.
type Bad struct {
	Where string // "entry 3 of account 1234"
	Why   string
}

// File is a statement file that was read. A balance that does not add up is a Bad too: lines may be missing.
type File struct {
	Format     string // "bai2", "ofx", "camt.053", "csv"
	Statements []Statement
	Bad        []Bad
}

// Options say what a file may leave open.
type Options struct {
	Currency money.Currency // where the file names none
	CSV      Columns        // how a CSV file's columns are called
}

// Read reads a statement file of any format it knows. Code invalid: it is none, or over MaxFile.
func Read(body []byte, o Options) (File, error) {
	if len(body) > MaxFile {
		return File{}, fault.Msg(fault.Invalid, "read bank file", fmt.Sprintf("it is over %d MB; export a shorter period", MaxFile>>20))
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	f, err := read(body, o)
	if err != nil {
		return File{}, err
	}
	for i := range f.Statements {
		f.Bad = append(f.Bad, f.Statements[i].check()...)
		f.Statements[i].name()
	}
	return f, nil
}

func read(body []byte, o Options) (File, error) {
	head := body[:min(len(body), 4096)]
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(head), []byte("01,")):
		return readBAI2(body, o)
	case bytes.Contains(head, []byte("OFXHEADER")), bytes.Contains(head, []byte("<OFX>")):
		return readOFX(body, o)
	case bytes.Contains(head, []byte("camt.05")):
		return readCAMT(body)
	case o.CSV.Date != "" && utf8.Valid(head):
		return readCSV(body, o)
	}
	return File{}, fault.Msg(fault.Invalid, "read bank file", "it is not BAI2, OFX or CAMT.053, and no columns are set for CSV")
}

// check proves the balances where the bank tells both.
func (s Statement) check() []Bad {
	if s.Open == nil || s.Close == nil {
		return nil
	}
	sum := *s.Open
	for _, l := range s.Lines {
		next, err := sum.Add(l.Amount)
		if err != nil {
			return []Bad{{"account " + s.Account, err.Error()}}
		}
		sum = next
	}
	if sum != *s.Close {
		return []Bad{{"account " + s.Account, fmt.Sprintf("its lines come from %s to %s, the bank says %s: the file lacks lines, or has lines that are not booked", *s.Open, sum, *s.Close)}}
	}
	return nil
}

// name gives each line its Key: by the bank's id where it is unique in the file, else by what the line says and how many like it came
// before on that day. So the same movement in a second file, which overlaps the first, is the same.
func (s *Statement) name() {
	ids, seen := map[string]int{}, map[string]int{}
	for _, l := range s.Lines {
		ids[l.ID]++
	}
	for i := range s.Lines {
		l := &s.Lines[i]
		if l.ID != "" && ids[l.ID] == 1 {
			l.Key = l.Account + "|" + l.ID
			continue
		}
		said := fmt.Sprintf("%s|%s|%d%s|%s|%s|%s", l.Account, l.Booked, l.Amount.Minor, l.Amount.Currency, l.Code, l.ID, l.Text)
		sum := sha256.Sum256([]byte(said))
		l.Key = fmt.Sprintf("%s|%s/%d", l.Account, hex.EncodeToString(sum[:10]), seen[said])
		seen[said]++
	}
}

// oneLine joins texts with single spaces and leaves empty ones out.
func oneLine(texts ...string) string {
	return strings.Join(strings.Fields(strings.Join(texts, " ")), " ")
}

// date reads YYYYMMDD or YYMMDD at the head of s; "" is no date.
func date(s string) (retail.BusinessDate, bool) {
	switch {
	case len(s) >= 10 && s[4] == '-':
		s = s[:10]
	case len(s) == 6:
		s = "20" + s[:2] + "-" + s[2:4] + "-" + s[4:6]
	case len(s) >= 8:
		s = s[:4] + "-" + s[4:6] + "-" + s[6:8]
	}
	d := retail.BusinessDate(s)
	return d, d.Valid()
}

// amount reads decimal text of any precision; what is finer than the currency knows is refused, never rounded.
func amount(text string, c money.Currency) (money.Amount, error) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "+")
	return money.Parse(text, c)
}

func currency(s string, o Options) money.Currency {
	return money.Currency(cmp.Or(strings.ToUpper(strings.TrimSpace(s)), string(o.Currency)))
}
