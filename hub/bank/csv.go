package bank

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Columns says how a bank's CSV export calls what it tells. Either Amount, or Credit and Debit.
type Columns struct {
	Date   string `toml:"date"`
	Layout string `toml:"layout" comment:"how dates are written, as Go writes 2 January 2006: 01/02/2006"`
	Amount string `toml:"amount"`
	Credit string `toml:"credit"`
	Debit  string `toml:"debit"`
	Text   string `toml:"text"`
	ID     string `toml:"id"`
	// Account names a column; where there is none, all lines are of Fixed.
	Account string `toml:"account"`
	Fixed   string `toml:"fixed_account"`
	Comma   string `toml:"separator" comment:"empty: a comma"`
}

func readCSV(body []byte, o Options) (File, error) {
	r := csv.NewReader(bytes.NewReader(body))
	r.FieldsPerRecord = -1
	if o.CSV.Comma != "" {
		r.Comma = []rune(o.CSV.Comma)[0]
	}
	head, err := r.Read()
	if err != nil {
		return File{}, fault.New(fault.Invalid, "read bank file", fmt.Errorf("the CSV file has no heading: %w", err))
	}
	at := map[string]int{}
	for i, h := range head {
		at[strings.TrimSpace(h)] = i
	}
	for _, want := range []string{o.CSV.Date, o.CSV.Amount, o.CSV.Credit, o.CSV.Debit, o.CSV.Text, o.CSV.ID, o.CSV.Account} {
		if _, have := at[want]; want != "" && !have {
			return File{}, fault.Msg(fault.Invalid, "read bank file", fmt.Sprintf("the CSV file has no column %q; it has %q", want, head))
		}
	}
	f, by := File{Format: "csv"}, map[string]*Statement{}
	var order []string
	for rows := 2; ; rows++ {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		cell := func(name string) string {
			if i, ok := at[name]; ok && name != "" && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		var l Line
		if err == nil {
			l, err = o.CSV.line(cell, o.Currency)
		}
		if err != nil {
			f.Bad = append(f.Bad, Bad{fmt.Sprintf("row %d", rows), err.Error()})
			continue
		}
		s := by[l.Account]
		if s == nil {
			s = &Statement{Account: l.Account, Currency: o.Currency}
			by[l.Account], order = s, append(order, l.Account)
		}
		s.Lines = append(s.Lines, l)
	}
	for _, a := range order {
		f.Statements = append(f.Statements, *by[a])
	}
	return f, nil
}

func (c Columns) line(cell func(string) string, cur money.Currency) (l Line, err error) {
	layout := c.Layout
	if layout == "" {
		layout = time.DateOnly
	}
	day, err := time.Parse(layout, cell(c.Date))
	if err != nil {
		return l, fmt.Errorf("its date %q is not written like %s", cell(c.Date), layout)
	}
	l = Line{Account: c.Fixed, ID: cell(c.ID), Booked: retail.DateOf(day), Text: oneLine(cell(c.Text))}
	if c.Account != "" {
		l.Account = cell(c.Account)
	}
	if c.Amount != "" {
		l.Amount, err = csvAmount(cell(c.Amount), cur)
		return l, err
	}
	in, out := cell(c.Credit), cell(c.Debit)
	switch {
	case in != "" && out == "":
		l.Amount, err = csvAmount(in, cur)
	case out != "" && in == "":
		if l.Amount, err = csvAmount(out, cur); l.Amount.Minor > 0 { // some banks write debits with their sign, some without
			l.Amount = l.Amount.Neg()
		}
	default:
		err = fmt.Errorf("it must have either a credit or a debit, and has %q and %q", in, out)
	}
	return l, err
}

// csvAmount reads what American banks write: "$1,234.50", "(12.00)", "-3".
func csvAmount(s string, c money.Currency) (money.Amount, error) {
	clean := strings.NewReplacer("$", "", ",", "", " ", "").Replace(s)
	if in, ok := strings.CutPrefix(clean, "("); ok && strings.HasSuffix(in, ")") {
		clean = "-" + strings.TrimSuffix(in, ")")
	}
	m, err := amount(clean, c)
	if err != nil {
		return m, fmt.Errorf("its amount %q cannot be read: %w", s, err)
	}
	return m, nil
}
