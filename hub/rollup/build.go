package rollup

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Books says where unmapped measures go and which journal documents are for.
type Books struct {
	Journal  string // journal code in Odoo
	Suspense string // account code of the suspense account
	Sales    string `json:",omitempty"` // code of the sales journal, for receipts and invoices; "" = none was set up
	Payments string `json:",omitempty"` // code of the journal of their payments; "" = none was set up
}

// Sheet is a store-day as the books should show it now: totals with their places, by today's mapping.
type Sheet struct {
	Lines    []Line
	Unmapped []ledger.Account // measures that stand in suspense: each is a case
	Suspense money.Amount     // sum of the absolute amounts in suspense
	Mode     Mode             // as what it goes there; Map leaves it to the caller
}

// Map gives each measure its place in the books. A measure without a rule goes to suspense and is listed: one unknown code never stops
// the day.
func Map(k DayKey, t Totals, set mapping.Set, b Books) (s Sheet, err error) {
	for a, sum := range t {
		if sum.IsZero() {
			continue
		}
		role, code := a.Split()
		l := Line{Measure: a, Label: string(a), Amount: sum, Refund: role == ledger.TaxRefund, Levies: levies(k, a, set), At: set.At(k.Location, k.Day).Analytic}
		if to, ok := set.Find(role, code, k.Location, k.Day); ok {
			l.Account, l.Tax, l.Analytic = to.Account, to.Tax, mapping.Join(set.OfCategory(a, k.Location, k.Day), to.Analytic)
			l.Journal, l.Method = to.Journal, to.Method
			if to.Label != "" {
				l.Label = to.Label
			}
		} else {
			l.Account, l.Suspense = b.Suspense, true
			if p := a.Plain(); !slices.Contains(s.Unmapped, p) {
				s.Unmapped = append(s.Unmapped, p)
			}
			if s.Suspense, err = s.Suspense.Add(money.Of(abs(sum.Minor), sum.Currency)); err != nil {
				return Sheet{}, err
			}
		}
		s.Lines = append(s.Lines, l)
	}
	sortLines(s.Lines)
	slices.Sort(s.Unmapped)
	return s, nil
}

// place is what two lines must share to be the same line of the books.
type place struct {
	measure      ledger.Account
	account, tax string
	refund       bool
	beside       string
	levied       string
}

func (l Line) place() place {
	return place{l.Measure, l.Account, l.Tax, l.Refund, l.beside(), l.levied()}
}

// Delta is what must still be posted so that the books show want, given the documents of the day that exist already: late tickets,
// changed versions and measures whose mapping has come since. Lines that cancel out are left off; the result sums to zero when want and
// the documents do.
func Delta(posted []Document, want []Line) ([]Line, error) {
	if bug.DeltaLastOnly && len(posted) > 1 {
		posted = posted[len(posted)-1:]
	}
	open := map[place]Line{}
	add := func(l Line, sign int64) error {
		have, ok := open[l.place()]
		if !ok {
			have = l
			have.Amount = money.Amount{}
		}
		sum, err := have.Amount.Add(money.Of(sign*l.Amount.Minor, l.Amount.Currency))
		have.Amount = sum
		open[l.place()] = have
		return err
	}
	for _, l := range want {
		if err := add(l, 1); err != nil {
			return nil, err
		}
	}
	for _, d := range posted {
		for _, l := range d.Lines {
			if err := add(l, -1); err != nil {
				return nil, err
			}
		}
	}
	var out []Line
	for _, l := range open {
		if !l.Amount.IsZero() {
			out = append(out, l)
		}
	}
	sortLines(out)
	return out, nil
}

// Next makes the next document of a store-day, or ok = false when the books already say what they should. posted are all documents of the
// day that were made before, whatever became of them. date is the accounting date: the day itself unless its period is closed (D12).
func Next(k DayKey, date retail.BusinessDate, s Sheet, posted []Document, b Books, tickets int, set mapping.Set, note string) (d Document, ok bool, err error) {
	if bug.LateDropped && len(posted) > 0 {
		return Document{}, false, nil
	}
	d = Document{Key: k, Kind: DayDocument, Date: date, Journal: b.Journal, Tickets: tickets, Mapping: set.Version, Note: note}
	return complete(d.as(s.Mode, b), s, posted)
}

// NextVoucher is Next for a voucher: posted are the documents of its series. A voucher that is taken back is one without postings.
func NextVoucher(v ledger.Voucher, s Sheet, posted []Document, b Books, set mapping.Set) (d Document, ok bool, err error) {
	return complete(Document{Key: DayKey{v.Location, v.Day}, Series: v.Series, Kind: VoucherDocument, Date: v.Day, Journal: b.Journal, Mapping: set.Version, Note: v.Text}, s, posted)
}

// complete fills d in with what the books still lack.
func complete(d Document, s Sheet, posted []Document) (Document, bool, error) {
	lines, err := Delta(posted, s.Lines)
	if err == nil {
		err = bases(lines)
	}
	if err != nil || len(lines) == 0 {
		return Document{}, false, err
	}
	d.Number, d.Currency, d.Lines = d.after(posted)+1, lines[0].Amount.Currency, d.payable(lines)
	if d.Number > 1 {
		d.Kind = DeltaDocument
	}
	d.Settles = d.settles()
	if err := d.check(); err != nil {
		return Document{}, false, err
	}
	d.Hash, err = d.hash()
	return d, err == nil, err
}

// after is how many documents of its own series there are; a reversed day's counts its tickets' documents too, and is none of theirs.
func (d Document) after(posted []Document) (n int) {
	for _, p := range posted {
		if p.Series == d.Series {
			n++
		}
	}
	return n
}

// check proves that d balances in one currency. It fails only for a bug: every entry is balanced.
func (d Document) check() error {
	sum := money.Of(0, d.Currency)
	for _, l := range d.Lines {
		var err error
		if sum, err = sum.Add(l.Amount); err != nil {
			return fault.New(fault.Internal, "build document "+d.ID(), err)
		}
	}
	if !sum.IsZero() {
		return fault.Msg(fault.Internal, "build document "+d.ID(), fmt.Sprintf("it is %s out of balance", sum))
	}
	return nil
}

func (d Document) hash() (string, error) {
	d.Hash = ""
	body, err := json.Marshal(d)
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), fault.New(fault.Internal, "hash document "+d.ID(), err)
}

// sortLines fixes the order: debits of tenders first as a cashier reads them, then by measure and account.
func sortLines(l []Line) {
	slices.SortFunc(l, func(a, b Line) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Measure, b.Measure), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Tax, b.Tax),
			cmp.Compare(a.At, b.At), cmp.Compare(a.Analytic, b.Analytic), cmp.Compare(a.levied(), b.levied()))
	})
}

func rank(l Line) int { return rankOf(l.Measure) }

func rankOf(a ledger.Account) int {
	role, _ := a.Split()
	return slices.Index(order, role)
}

// Order compares measures as people read a document: what was sold, what is owed, how it was paid.
func Order(a, b ledger.Account) int {
	return cmp.Or(cmp.Compare(rankOf(a), rankOf(b)), cmp.Compare(a, b))
}

var order = []ledger.Role{ledger.Sales, ledger.Returns, ledger.Discount, ledger.Shipping, ledger.Fee, ledger.Tax, ledger.TaxRefund, ledger.GiftCard,
	ledger.Deposit, ledger.House, ledger.Tip, ledger.Rounding, ledger.PaidIn, ledger.PaidOut, ledger.OverShort, ledger.Tender, ledger.Bank, ledger.Charge,
	ledger.Dispute, ledger.Loss, ledger.COGS, ledger.Inventory, ledger.DueTo, ledger.DueFrom, ledger.Unclaimed, ledger.Breakage, ledger.Cancelling}

func abs(n int64) int64 { return max(n, -n) }
