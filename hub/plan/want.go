package plan

import (
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
)

// want is one account of the books, what it is for, and how a chart may call it.
type want struct {
	name  string         // under which it is made
	kind  string         // Odoo's account_type when it is made
	first string         // where the search for a free code begins
	rules []mapping.Rule // what leads to it
	types []string       // account types that an existing one may have
	hints []hint         // the best first
	not   []string       // words that rule a name out
	clear bool           // what stands there is paid out by others: its items are reconciled
	only  bool           // taken when the chart has one, made only when tills have said its code
}

// hint is words that a name holds all of.
type hint struct {
	words string
	sure  Certainty
}

func sure(words ...string) (out []hint)   { return hints(Sure, words) }
func likely(words ...string) (out []hint) { return hints(Likely, words) }

func hints(c Certainty, words []string) (out []hint) {
	for _, w := range words {
		out = append(out, hint{w, c})
	}
	return out
}

func rule(r ledger.Role, code string) mapping.Rule { return mapping.Rule{Role: r, Code: code} }

// Account types by what they can hold.
var (
	income    = []string{"income", "income_other"}
	expense   = []string{"expense", "expense_other", "expense_direct_cost"}
	result    = slices.Concat(income, expense)
	asset     = []string{"asset_current"}
	onHand    = []string{"asset_current", "asset_cash"}
	liability = []string{"liability_current"}
)

// chartOf is what a retailer needs (finance's T1 to T18): a clearing account per tender, contra accounts for what is given back, a liability
// for what is owed.
func chartOf(w Wish) (out []want) {
	out = []want{
		{name: "Till suspense", kind: "asset_current", first: "101980", types: asset, hints: append(sure("pos suspense", "till suspense", "sales suspense"), likely("suspense")...), not: []string{"bank", "payroll", "tax"}},
		{name: "Till sales", kind: "income", first: "401900", rules: []mapping.Rule{rule(ledger.Sales, mapping.Any)}, types: income,
			hints: append(sure("product sale", "sale of product", "retail sale", "merchandise sale", "store sale", "sale of good"), likely("sale", "sale revenue", "revenue")...),
			not:   []string{"return", "discount", "refund", "service", "tax", "gain", "loss", "asset", "shipping", "freight"}},
		{name: "Till fees", kind: "income", first: "401940", rules: []mapping.Rule{rule(ledger.Fee, mapping.Any)}, types: income, hints: append(sure("fee income"), likely("service income", "service charge", "other revenue", "other income")...)},
		{name: "Till shipping", kind: "income", first: "401950", rules: []mapping.Rule{rule(ledger.Shipping, "")}, types: income, hints: append(sure("shipping income", "shipping revenue", "freight income", "delivery income"), likely("shipping", "freight", "delivery", "other income")...)},
		{name: "Till returns", kind: "income", first: "401910", rules: []mapping.Rule{rule(ledger.Returns, mapping.Any)}, types: result, hints: append(sure("sale return", "return allowance", "customer return"), likely("refund", "return")...), not: []string{"purchase", "tax", "vendor"}},
		{name: "Till discounts", kind: "income", first: "401920", rules: []mapping.Rule{rule(ledger.Discount, mapping.Any)}, types: result, hints: append(sure("sale discount", "discount given", "discount allowed", "customer discount"), likely("promotion", "coupon")...), not: []string{"cash", "purchase", "gain", "loss", "taken", "early"}},
		{name: "Till gift cards outstanding", kind: "liability_current", first: "251910", rules: []mapping.Rule{rule(ledger.GiftCard, "")}, types: liability, hints: sure("gift card", "gift certificate", "stored value")},
		{name: "Till tips payable", kind: "liability_current", first: "251920", rules: []mapping.Rule{rule(ledger.Tip, "")}, types: liability, hints: append(sure("tip payable", "gratuity payable", "tip owed"), likely("tip", "gratuity")...)},
		{name: "Till customer deposits", kind: "liability_current", first: "251930", rules: []mapping.Rule{rule(ledger.Deposit, "")}, types: liability, hints: append(sure("customer deposit", "layaway", "customer prepayment"), likely("deposit received", "deposit")...), not: []string{"bank", "transit"}},
		{name: "Till house accounts", kind: "asset_current", first: "101970", rules: []mapping.Rule{rule(ledger.House, "")}, types: asset, hints: append(sure("house account", "charge account"), likely("store account")...)},
		{name: "Till cash over and short", kind: "expense", first: "601910", rules: []mapping.Rule{rule(ledger.OverShort, mapping.Any)}, types: result,
			hints: append(sure("over short", "overage shortage"), likely("cash difference loss", "cash difference", "cash shortage", "cash short")...), not: []string{"gain"}},
		{name: "Till cash over", kind: "income", first: "401960", rules: []mapping.Rule{rule(ledger.OverShort, "over")}, types: income, hints: likely("cash difference gain", "cash overage", "cash over"), not: []string{"short"}, only: true},
		{name: "Till cash rounding", kind: "expense", first: "601920", rules: []mapping.Rule{rule(ledger.Rounding, "")}, types: result, hints: append(sure("cash rounding"), likely("rounding")...), not: []string{"tax"}},
		{name: "Till paid in", kind: "income", first: "401930", rules: []mapping.Rule{rule(ledger.PaidIn, mapping.Any)}, types: income, hints: sure("paid in", "pay in")},
		{name: "Till paid out", kind: "expense", first: "601930", rules: []mapping.Rule{rule(ledger.PaidOut, mapping.Any)}, types: expense, hints: append(sure("paid out", "pay out"), likely("petty cash expense", "store expense")...)},
		{name: "Till card processing fees", kind: "expense", first: "601940", rules: []mapping.Rule{rule(ledger.Charge, mapping.Any)}, types: expense,
			hints: append(sure("processing fee", "merchant fee", "card fee", "merchant service"), likely("bank fee", "bank charge", "payment fee")...), not: []string{"import", "late"}},
		{name: "Till chargeback losses", kind: "expense", first: "601950", rules: []mapping.Rule{rule(ledger.Loss, mapping.Any)}, types: expense, hints: append(sure("chargeback"), likely("bad debt", "uncollectible")...)},
		{name: "Till card disputes", kind: "asset_current", first: "101965", rules: []mapping.Rule{rule(ledger.Dispute, "")}, types: asset, hints: sure("dispute", "chargeback"), clear: true},
	}
	out = append(out, tenders(w)...)
	for _, b := range w.Banks {
		out = append(out, want{name: "Till deposits: " + b, kind: "asset_current", first: "101960", rules: []mapping.Rule{rule(ledger.Bank, b)}, types: asset, hints: append(sure("deposit transit "+b), likely("deposit "+b)...), clear: true})
	}
	return append(out, later()...)
}

// later is what goods and other companies bring: taken from the chart, and made only once it is needed.
func later() []want {
	return []want{
		{name: "Till cost of goods sold", kind: "expense_direct_cost", first: "501900", rules: []mapping.Rule{rule(ledger.COGS, mapping.Any)}, types: expense, hints: sure("cost good sold", "cost sale", "cogs"), only: true},
		{name: "Till inventory", kind: "asset_current", first: "110900", rules: []mapping.Rule{rule(ledger.Inventory, mapping.Any)}, types: asset, hints: append(sure("inventory valuation", "stock valuation", "merchandise inventory"), likely("inventory", "stock")...), not: []string{"interim", "transit"}, only: true},
		{name: "Till due to other companies", kind: "liability_current", first: "251940", rules: []mapping.Rule{rule(ledger.DueTo, mapping.Any)}, types: liability, hints: sure("due to", "intercompany payable"), only: true},
		{name: "Till due from other companies", kind: "asset_current", first: "101975", rules: []mapping.Rule{rule(ledger.DueFrom, mapping.Any)}, types: asset, hints: sure("due from", "intercompany receivable"), only: true},
		{name: "Till unclaimed property", kind: "liability_current", first: "251950", rules: []mapping.Rule{rule(ledger.Unclaimed, "")}, types: liability, hints: sure("unclaimed property", "escheat"), only: true},
		{name: "Till gift card breakage", kind: "income", first: "401970", rules: []mapping.Rule{rule(ledger.Breakage, "")}, types: income, hints: sure("breakage"), only: true},
		{name: "Till cancellation fees", kind: "income", first: "401980", rules: []mapping.Rule{rule(ledger.Cancelling, "")}, types: income, hints: append(sure("cancellation fee"), likely("cancellation")...), only: true},
	}
}

// tenders are the clearing accounts. What is no money on its way goes to the account of what it is: a gift card to what is owed on gift cards.
func tenders(w Wish) (out []want) {
	codes := w.Codes[ledger.Tender]
	if len(w.Banks) > 0 && !slices.Contains(codes, "card") {
		codes = append(slices.Clone(codes), "card") // what a gateway knows no tender of
	}
	seen := map[string]bool{}
	for _, code := range codes {
		if seen[code] {
			continue
		}
		seen[code] = true
		t := want{name: "Till clearing: " + code, kind: "asset_current", first: "101900", rules: []mapping.Rule{rule(ledger.Tender, code)}, types: asset, clear: true, not: []string{"bank", "outstanding", "fee"}}
		switch own := words(code); natureOf(code) {
		case cash:
			t.types = onHand
			t.hints = append(sure("cash clearing", "cash hand", "store cash", "drawer cash", "till cash", "cash transit"), likely("undeposited fund", "undeposited cash")...)
		case check:
			t.hints = append(sure("check clearing", "check hand", "undeposited check"), likely("undeposited fund")...)
		case card:
			t.hints = append(sure(own+" clearing", own+" receivable", own+" transit"), likely("card clearing", "credit card clearing", "merchant clearing", "card receivable", "card transit")...)
		case credit:
			t = want{name: "Till store credit outstanding", kind: "liability_current", first: "251915", rules: t.rules, types: liability, hints: append(sure("store credit"), likely("customer credit")...)}
		default:
			t.hints = sure(own+" clearing", own+" receivable", own+" transit")
		}
		out = append(out, t)
	}
	return slices.DeleteFunc(out, func(t want) bool { return homeOf(t.rules[0].Code) != "" })
}

// nature is what kind of money a tender is.
type nature string

const (
	cash   nature = "cash"
	check  nature = "check"
	card   nature = "card"
	credit nature = "store credit" // what a shop owes its customers is no money on its way
	other  nature = "other"
)

var cards = []string{"visa", "mastercard", "master card", "mc", "amex", "american express", "discover", "diner", "jcb", "debit", "credit", "credit card", "debit card", "card", "interac", "unionpay"}

func natureOf(code string) nature {
	switch own := words(code); {
	case own == "cash":
		return cash
	case own == "check" || own == "cheque":
		return check
	case slices.Contains(cards, own):
		return card
	case own == "store credit" || own == "merchandise credit":
		return credit
	}
	return other
}

// homeOf is the account of a tender that is no money on its way, by the measure that it shares it with; "" = it clears.
func homeOf(code string) ledger.Account {
	switch words(code) {
	case "gift card", "giftcard", "gift certificate":
		return ledger.Account(ledger.GiftCard)
	case "on account", "house account", "charge account":
		return ledger.Account(ledger.House)
	}
	return ""
}

// words makes a name or code comparable: lower case, one blank between, no plural.
func words(s string) string {
	fields := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r < 0x80 })
	for i, f := range fields {
		switch {
		case strings.HasSuffix(f, "xes") || strings.HasSuffix(f, "sses"):
			fields[i] = strings.TrimSuffix(f, "es")
		case strings.HasSuffix(f, "ies") && len(f) > 4:
			fields[i] = strings.TrimSuffix(f, "ies") + "y"
		case strings.HasSuffix(f, "s") && !strings.HasSuffix(f, "ss") && len(f) > 3:
			fields[i] = strings.TrimSuffix(f, "s")
		}
	}
	return strings.Join(fields, " ")
}

// holds reports whether a name holds all words of a hint.
func holds(name, hint string) bool {
	have := strings.Fields(name)
	for w := range strings.FieldsSeq(hint) {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return hint != ""
}
