package profile

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/retail"
)

// dates are how a day is written in a report's title, a cell or a file's name. A day written with strokes is an American one.
var dates = []struct {
	form   *regexp.Regexp
	layout []string
}{
	{regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}`), []string{"2006-01-02"}},
	{regexp.MustCompile(`\b\d{1,2}/\d{1,2}/\d{4}\b`), []string{"1/2/2006"}},
	{regexp.MustCompile(`\b\d{1,2}/\d{1,2}/\d{2}\b`), []string{"1/2/06"}},
	{regexp.MustCompile(`\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{1,2},? \d{4}\b`), []string{"Jan 2, 2006", "January 2, 2006", "Jan 2 2006", "January 2 2006"}},
	{regexp.MustCompile(`(?:^|[^0-9])20\d{6}(?:[^0-9]|$)`), []string{"20060102"}},
	{regexp.MustCompile(`(?:^|[^0-9])\d{2}[-_]\d{2}[-_]20\d{2}(?:[^0-9]|$)`), []string{"01-02-2006", "01_02_2006"}},
}

// oneDay finds the day that a text names, "" when it names none or several.
func oneDay(s string) string {
	found := ""
	for _, d := range dates {
		for _, m := range d.form.FindAllString(s, 20) {
			m = strings.TrimFunc(m, func(r rune) bool { return !unicode.IsDigit(r) && !unicode.IsLetter(r) })
			if i := strings.IndexFunc(m, unicode.IsDigit); len(d.layout) == 1 && i > 0 { // a letter stood before a number
				m = m[i:]
			}
			m = strings.TrimRightFunc(m, unicode.IsLetter)
			for _, l := range d.layout {
				t, err := time.Parse(l, m)
				if err != nil {
					continue
				}
				day := string(retail.DateOf(t))
				if found != "" && found != day {
					return ""
				}
				found = day
			}
		}
	}
	return found
}

// day is the day that a cell names, "" when it names none: a date however it is written, or a spreadsheet's count of days.
func day(s string) string {
	if d := oneDay(s); d != "" {
		return d
	}
	if t, ok := serial(s, time.UTC); ok {
		return string(retail.DateOf(t))
	}
	return ""
}

// spreadsheet is day 0 of a workbook's dates: they count days, with their first leap year wrong.
var spreadsheet = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// serial reads a workbook's date: days since its day 0, with the time as their fraction, or a date and a time in two cells.
func serial(s string, zone *time.Location) (time.Time, bool) {
	days := decimal.Decimal{}
	for part := range strings.FieldsSeq(s) {
		d, err := decimal.NewFromString(part)
		if err != nil || len(part) > 24 {
			return time.Time{}, false
		}
		days = days.Add(d)
	}
	if days.LessThan(decimal.NewFromInt(20_000)) || days.GreaterThan(decimal.NewFromInt(80_000)) { // 1954 to 2119
		return time.Time{}, false
	}
	seconds := days.Mod(decimal.NewFromInt(1)).Mul(decimal.NewFromInt(86_400)).Round(0).IntPart()
	t := spreadsheet.AddDate(0, 0, int(days.IntPart()))
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, int(seconds), 0, zone), true
}
