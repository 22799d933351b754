package app

import (
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/bank"
	"github.com/tillpost/tillpost/hub/reconcile"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// BankConfig is an account of the company at its bank.
type BankConfig struct {
	Name    string       `toml:"name" comment:"short: the code of role bank in the mapping"`
	Number  string       `toml:"number" comment:"as the bank's files name it"`
	Journal string       `toml:"journal" comment:"code of its bank journal in Odoo; empty: statement lines are left to whoever brings them there"`
	Make    bool         `toml:"make_lines" comment:"make statement lines there that neither a bank feed nor a person brings"`
	CSV     bank.Columns `toml:"csv,omitempty" comment:"how its CSV exports are laid out"`
}

// MerchantConfig is a merchant id with what is agreed for it.
type MerchantConfig struct {
	ID       string              `toml:"id"`
	Location retail.LocationCode `toml:"location"`
	Sites    []string            `toml:"sites,omitempty" comment:"the gateway's own numbers of it, where they differ"`
	Bank     string              `toml:"bank" comment:"name of the account its money goes to"`
	Net      bool                `toml:"netbilling" comment:"discount and interchange are kept back each day"`
	MostFee  string              `toml:"most_fee" comment:"what can be kept back at most, in percent; empty: 3.50"`
	Lag      int                 `toml:"lag" comment:"banking days from closing a batch to its deposit; empty: 1"`
	OwnAmex  bool                `toml:"own_amex" comment:"American Express pays out by itself"`
	BackFee  string              `toml:"chargeback_fee" comment:"such as 15.00 USD"`
}

func (c Config) validateSettlement(f *config.Faults) {
	names := map[string]bool{}
	for i, b := range c.Banks {
		if b.Name == "" || names[b.Name] || strings.ContainsAny(b.Name, ": ") {
			f.Add("bank %d: the name %q is empty, used twice, or has a space or colon", i+1, b.Name)
		}
		if names[b.Name] = true; b.Number == "" {
			f.Add("bank %s: number is missing", b.Name)
		}
	}
	ids := map[string]bool{}
	for i, m := range c.Merchants {
		if m.ID == "" || ids[m.ID] {
			f.Add("merchant %d: the id %q is empty or used twice", i+1, m.ID)
		}
		if ids[m.ID] = true; !names[m.Bank] {
			f.Add("merchant %s: there is no [[bank]] with the name %q", m.ID, m.Bank)
		}
		if m.Location == "" {
			f.Add("merchant %s: location is missing", m.ID)
		}
		if _, ok := basisPoints(m.MostFee); !ok {
			f.Add("merchant %s: most_fee %q is not a percentage like 3.50", m.ID, m.MostFee)
		}
		if _, err := amountOf(m.BackFee); err != nil {
			f.Add("merchant %s: chargeback_fee %q is not an amount like 15.00 USD", m.ID, m.BackFee)
		}
	}
}

// usualMost is what a processor keeps back at most where the settings do not say: 3.5 %.
const usualMost = 350

func basisPoints(s string) (int64, bool) {
	if s == "" {
		return usualMost, true
	}
	a, err := money.Parse(s, "USD") // two decimals of a percent are basis points
	return a.Minor, err == nil && a.Minor > 0 && a.Minor < 10_000
}

// amountOf reads an amount with its currency, "" = none.
func amountOf(s string) (money.Amount, error) {
	if s == "" {
		return money.Amount{}, nil
	}
	number, currency, _ := strings.Cut(s, " ")
	return money.Parse(number, money.Currency(currency))
}

// bankBooks says where each bank account stands in Odoo.
func (c Config) bankBooks() map[string]store.BankBooks {
	out := map[string]store.BankBooks{}
	for _, b := range c.Banks {
		out[b.Number] = store.BankBooks{Name: b.Name, Journal: b.Journal, Make: b.Make}
	}
	return out
}

func (c Config) bankNames() (out []string) {
	for _, b := range c.Banks {
		out = append(out, b.Name)
	}
	return out
}

// settlement is what the settings know of a decision's facts.
func (c Config) settlement(today time.Time) reconcile.Facts {
	f := reconcile.Facts{Banking: reconcile.Banking, Today: retail.BusinessDate(today.Format(time.DateOnly))}
	numbers := map[string]string{}
	for _, b := range c.Banks {
		f.Accounts = append(f.Accounts, reconcile.Account{Number: b.Number, Name: b.Name})
		numbers[b.Name] = b.Number
	}
	for _, m := range c.Merchants {
		most, _ := basisPoints(m.MostFee) // checked
		fee, _ := amountOf(m.BackFee)
		f.Merchants = append(f.Merchants, reconcile.Merchant{Terms: settle.Terms{Merchant: m.ID, Account: numbers[m.Bank], Net: m.Net, MostFee: most, Lag: max(1, m.Lag)},
			Sites: m.Sites, Location: m.Location, OwnAmex: m.OwnAmex, BackFee: fee})
	}
	return f
}
