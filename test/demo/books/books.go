// Package books is the auditor of demo and end-to-end tests: it reads Odoo's journal items back over the public API and the ledger from the
// hub's database file, adds both up and compares them with what the tills told. It shares no code with the product.
package books

import (
	"context"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
)

// Odoo says where the books are.
type Odoo struct{ URL, DB, User, Key string }

// Item is one journal item. Cents are debit positive.
type Item struct {
	Move     int
	Entry    string // the entry's number in Odoo
	State    string // "posted"
	Date     string
	Ref      string
	Location string // read out of Ref
	Day      string // read out of Ref
	Series   string // of a document that is no store-day's, read out of Ref
	Number   string // of the document, read out of Ref
	Part     string // of a document that is several entries, read out of Ref
	Account  string // account code
	Label    string
	Cents    int64
	Owed     bool  // it stands on a customer's account
	Open     int64 // what of it is not matched yet, cents
}

// document finds LOCATION/DAY/NUMBER, or LOCATION/DAY/SERIES/NUMBER, with the part behind +, in an entry's reference.
var document = regexp.MustCompile(`([^/\s]+)/(\d{4}-\d{2}-\d{2})/(?:([a-z]+-[0-9a-f-]+)/)?(\d+)(?:\+(\w+))?`)

// Read returns the items of every entry of the journals, in the order of their ids.
func Read(ctx context.Context, o Odoo, journals ...string) ([]Item, error) {
	uid, err := call(ctx, o.URL+"/xmlrpc/2/common", "authenticate", o.DB, o.User, o.Key, map[string]any{})
	if err != nil {
		return nil, err
	}
	n, ok := uid.(number)
	if !ok {
		return nil, fmt.Errorf("Odoo refuses user %s", o.User)
	}
	id, _ := strconv.Atoi(string(n))
	read := func(model string, domain []any, fields ...any) ([]map[string]any, error) {
		got, err := call(ctx, o.URL+"/xmlrpc/2/object", "execute_kw", o.DB, id, o.Key, model, "search_read", []any{domain},
			map[string]any{"fields": fields, "order": "id"})
		if err != nil {
			return nil, err
		}
		rows, _ := got.([]any)
		out := make([]map[string]any, len(rows))
		for i, r := range rows {
			out[i], _ = r.(map[string]any)
		}
		return out, nil
	}
	moves, err := read("account.move", []any{[]any{"journal_id.code", "in", anyOf(journals)}}, "name", "ref", "date", "state")
	if err != nil {
		return nil, err
	}
	lines, err := read("account.move.line", []any{[]any{"move_id.journal_id.code", "in", anyOf(journals)}}, "move_id", "account_id", "name", "debit", "credit", "amount_residual")
	if err != nil {
		return nil, err
	}
	accounts, err := read("account.account", []any{}, "code", "account_type")
	if err != nil {
		return nil, err
	}
	return join(moves, lines, accounts)
}

func anyOf(list []string) (out []any) {
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

func join(moves, lines, accounts []map[string]any) ([]Item, error) {
	code, head, owed := map[int]string{}, map[int]Item{}, map[int]bool{}
	for _, a := range accounts {
		code[integer(a["id"])], _ = a["code"].(string)
		owed[integer(a["id"])] = a["account_type"] == "asset_receivable"
	}
	for _, m := range moves {
		i := Item{Move: integer(m["id"])}
		i.Entry, _ = m["name"].(string)
		i.State, _ = m["state"].(string)
		i.Date, _ = m["date"].(string)
		i.Ref, _ = m["ref"].(string)
		if d := document.FindStringSubmatch(i.Ref); d != nil {
			i.Location, i.Day, i.Series, i.Number, i.Part = d[1], d[2], d[3], d[4], d[5]
		}
		head[i.Move] = i
	}
	var out []Item
	for _, l := range lines {
		i, ok := head[first(l["move_id"])]
		if !ok {
			continue
		}
		i.Account = code[first(l["account_id"])]
		i.Label, _ = l["name"].(string)
		debit, err := cents(l["debit"])
		if err != nil {
			return nil, err
		}
		credit, err := cents(l["credit"])
		if err != nil {
			return nil, err
		}
		i.Cents = debit - credit
		if i.Owed = owed[first(l["account_id"])]; i.Owed {
			if i.Open, err = cents(l["amount_residual"]); err != nil {
				return nil, err
			}
		}
		out = append(out, i)
	}
	return out, nil
}

func integer(v any) int {
	n, _ := v.(number)
	i, _ := strconv.Atoi(string(n))
	return i
}

// first is the id of a many2one, which Odoo writes as [id, name].
func first(v any) int {
	if l, ok := v.([]any); ok && len(l) > 0 {
		return integer(l[0])
	}
	return integer(v)
}

// cents takes the wire's decimal text to cents; a residue over a millionth is an error, not a rounding.
func cents(v any) (int64, error) {
	n, ok := v.(number)
	if !ok {
		return 0, fmt.Errorf("an amount is %T", v)
	}
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		return 0, fmt.Errorf("an amount is %q", n)
	}
	r.Mul(r, big.NewRat(100, 1))
	half := big.NewRat(1, 2)
	if r.Sign() < 0 {
		half.Neg(half)
	}
	sum := new(big.Rat).Add(r, half)
	whole := new(big.Int).Quo(sum.Num(), sum.Denom())
	rest := new(big.Rat).Sub(r, new(big.Rat).SetInt(whole))
	if rest.Abs(rest).Cmp(big.NewRat(1, 10_000)) > 0 || !whole.IsInt64() {
		return 0, fmt.Errorf("the amount %s is not a whole number of cents", n)
	}
	return whole.Int64(), nil
}
