package store

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/money"
)

// encodePostings writes postings as JSON, [["debit","credit",minor],…]; the entry's currency is theirs. Every ticket's postings are written
// once and read once by the fold: both avoid reflection, which took a quarter of what the books cost (measured).
func encodePostings(ps []ledger.Posting) string {
	b := append(make([]byte, 0, 2+48*len(ps)), '[')
	for i, p := range ps {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(append(b, '['), string(p.Debit))
		b = appendQuoted(append(b, ','), string(p.Credit))
		b = strconv.AppendInt(append(b, ','), p.Amount.Minor, 10)
		b = append(b, ']')
	}
	return string(append(b, ']'))
}

func appendQuoted(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("BUG: quote text: " + err.Error())
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// decodePostings reads what encodePostings wrote.
func decodePostings(s string, c money.Currency) ([]ledger.Posting, error) {
	if ps, ok := quickPostings(s, c); ok {
		return ps, nil
	}
	var rows [][3]json.RawMessage
	if err := json.Unmarshal([]byte(s), &rows); err != nil {
		return nil, err
	}
	out := make([]ledger.Posting, len(rows))
	for i, r := range rows {
		var minor int64
		if err := errors.Join(json.Unmarshal(r[0], &out[i].Debit), json.Unmarshal(r[1], &out[i].Credit), json.Unmarshal(r[2], &minor)); err != nil {
			return nil, err
		}
		out[i].Amount = money.Of(minor, c)
	}
	return out, nil
}

// quickPostings reads postings without an escape in them, as they are written; ok = false says nothing against s.
func quickPostings(s string, c money.Currency) (out []ledger.Posting, ok bool) {
	if strings.IndexByte(s, '\\') >= 0 || !strings.HasPrefix(s, "[[") || !strings.HasSuffix(s, "]]") {
		return nil, false
	}
	out = make([]ledger.Posting, 0, 1+strings.Count(s, "],["))
	for rest := s[1 : len(s)-1]; ; rest = rest[1:] {
		if len(rest) == 0 || rest[0] != '[' {
			return nil, false
		}
		rest = rest[1:]
		var p ledger.Posting
		for _, side := range []*ledger.Account{&p.Debit, &p.Credit} {
			if len(rest) == 0 || rest[0] != '"' {
				return nil, false
			}
			text, after, found := strings.Cut(rest[1:], `",`)
			if !found || strings.IndexByte(text, '"') >= 0 {
				return nil, false
			}
			*side, rest = ledger.Account(text), after
		}
		number, after, found := strings.Cut(rest, "]")
		minor, err := strconv.ParseInt(number, 10, 64)
		if !found || err != nil {
			return nil, false
		}
		p.Amount = money.Of(minor, c)
		out, rest = append(out, p), after
		if rest == "" {
			return out, true
		}
		if rest[0] != ',' {
			return nil, false
		}
	}
}
