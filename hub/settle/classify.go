package settle

import (
	"strings"
)

// Kind is what a bank's line is to a merchant.
type Kind string

const (
	Takings    Kind = "takings"    // money of batches
	Fees       Kind = "fees"       // the processor's bill
	Chargeback Kind = "chargeback" // a payment that was taken back
	Other      Kind = ""           // not a card processor's
)

// Reading is what a line's text says.
type Reading struct {
	Kind     Kind
	Funds    Funds
	Merchant string // "" = the text names none of those known
}

// Classify reads a descriptor as banks write it: cut, abbreviated, run together, or read off paper. credit = money came in. A processor
// sends takings and bills under the same words ("HRTLAND PMT SYS TXNS/FEES"), so the direction decides between them.
func Classify(text string, credit bool, terms []Terms) Reading {
	words := strings.ToUpper(text)
	r := Reading{Merchant: merchantIn(words, terms)}
	switch {
	case contains(words, amexWords):
		r.Kind, r.Funds = Takings, Amex
	case contains(words, cardWords) || damaged(words) || r.Merchant != "":
		r.Kind, r.Funds = Takings, Cards
	default:
		return r
	}
	if !credit {
		r.Kind = Fees
	}
	if contains(words, backWords) {
		r.Kind = Chargeback
	}
	return r
}

func contains(words string, list []string) bool {
	for _, w := range list {
		if strings.Contains(words, w) {
			return true
		}
	}
	return false
}

// How processors' deposits read on American statements (collected from public statements; Heartland's never says HEARTLAND alone).
var (
	amexWords = []string{"AMERICAN EXPRESS", "AMEX"}
	cardWords = []string{"HRTLAND", "HEARTLAND PAYMENT", "MERCHANT BNKCD", "MERCHANT BANKCD", "BANKCARD", "BNKCD", "VANTIV", "WORLDPAY", "TSYS", "TRANSFIRST",
		"GLOBAL PAYMENTS", "MERCH SETL", "MERCH DEP", "MTOT DEP", "BTOT DEP", "WEPAY", "BRAINTREE"}
	backWords = []string{"CHARGEBACK", "CHGBK", "CHARGE BACK", "CHBK", "DISPUTE"}
)

// damaged finds HRTLAND in what a scanner made of it: the same letters but for two.
func damaged(words string) bool {
	for _, w := range strings.FieldsFunc(words, func(r rune) bool { return r == ' ' || r == '/' || r == '*' || r == ',' }) {
		if len(w) >= 6 && len(w) <= 9 && strings.HasPrefix(w, "HR") && distance(w, "HRTLAND") <= 2 {
			return true
		}
	}
	return false
}

// distance counts the letters to change, drop or add (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// shortest is how many digits of a merchant id a text must show to mean it.
const shortest = 6

// merchantIn finds a known merchant id: whole, or its end where the bank cut it. One that fits several names none.
func merchantIn(words string, terms []Terms) (found string) {
	for _, digits := range strings.FieldsFunc(words, func(r rune) bool { return r < '0' || r > '9' }) {
		if len(digits) < shortest {
			continue
		}
		for _, t := range terms {
			if !strings.HasSuffix(t.Merchant, digits) && !strings.HasSuffix(digits, t.Merchant) && !strings.HasPrefix(t.Merchant, digits) {
				continue
			}
			if found != "" && found != t.Merchant {
				return ""
			}
			found = t.Merchant
		}
	}
	return found
}
