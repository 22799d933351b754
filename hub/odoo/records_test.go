package odoo

import "testing"

func TestPeopleNameRecordsInManyWays(t *testing.T) {
	for s, want := range map[string]struct {
		model string
		id    int64
	}{
		"account.move/123": {Entries, 123}, "account.move,123": {Entries, 123}, "account.move(123,)": {Entries, 123}, "account.bank.statement.line/7": {StatementLines, 7},
		"https://books.example.com/odoo/account.move/123":                    {Entries, 123},
		"https://books.example.com/odoo/action-211/account.move/123?debug=1": {Entries, 123},
		"account.payment/7": {Payments, 7}, "https://books.example.com/odoo/account.payment/7": {Payments, 7}, "https://books.example.com/web#id=7&model=account.payment": {Payments, 7},
		"https://books.example.com/web#id=123&model=account.move&view_type=form":                {Entries, 123},
		"https://books.example.com/web#cids=1&model=account.bank.statement.line&id=9&action=28": {StatementLines, 9},
		"https://books.example.com/web#id=123&model=res.partner":                                {},
		"123": {}, "account.move/": {}, "account.move/x": {}, "res.partner/1": {}, "account.move.line/1": {}, "S1/2026-11-20/1": {}, "": {}, "#": {},
		"account.move/99999999999999999999": {},
	} {
		model, id, ok := ParseRecord(s)
		if ok != (want.id != 0) || ok && (model != want.model || id != want.id) {
			t.Errorf("%q is %s %d %v", s, model, id, ok)
		}
	}
}

func TestAReferenceNamesItsDocument(t *testing.T) {
	const hub = "0123456789abcdef"
	for ref, want := range map[string]struct {
		id  string
		own bool
	}{
		"Tillpost 01234567 S1/2026-11-20/1 223fa3312b69 unproven":       {"S1/2026-11-20/1", true},
		"Tillpost 01234567 S 2/ä/2026-11-20/12 223fa3312b69":            {"S 2/ä/2026-11-20/12", true},
		"Tillpost 01234567 S1/2026-11-25/deposit-1f0c/1 223fa3312b69 x": {"S1/2026-11-25/deposit-1f0c/1", true},
		"Tillpost 01234567 S1/2026-11-25/cost/2 223fa3312b69":           {"S1/2026-11-25/cost/2", true},
		"Tillpost 01234567 S1/2026-11-30/breakage-2026-11/1 223fa33":    {"S1/2026-11-30/breakage-2026-11/1", true},
		"Tillpost ffffffff S1/2026-11-20/1 223fa3312b69":                {"S1/2026-11-20/1", false},
		"INV/2026/00001": {},
	} {
		id, own, ok := DocumentOf(hub, ref)
		if id != want.id || own != want.own || ok != (want.id != "") {
			t.Errorf("%q is %q %v %v", ref, id, own, ok)
		}
	}
}
