package odoo

// suspense is the account that takes what an entry lacks.
const suspense = 21

// seed is a fresh database with the generic chart, as far as Tillpost meets it.
func (s *Server) seed() {
	s.b = books{Next: 100, Models: map[string]map[int64]record{}, XMLIDs: map[string]xref{}, Numbers: map[string]int{}, Grants: map[string]bool{}}
	s.b.Grants["analytic"] = !s.NoAnalytic
	s.put("res.company", 1, record{"name": "My Company", "currency_id": int64(1), "user_ids": []any{int64(2), int64(3)}, "fiscalyear_lock_date": false, "tax_lock_date": false})
	s.put("res.currency", 1, record{"name": "USD"})
	s.seedUsers()
	s.seedKeys()
	for i, j := range [][3]string{{"MISC", "Miscellaneous Operations", "general"}, {"INV", "Customer Invoices", "sale"}, {"BNK1", "Bank", "bank"}} {
		s.put("account.journal", int64(i+1), record{"code": j[0], "name": j[1], "type": j[2], "company_id": int64(1)})
	}
	for i, a := range [][3]string{{"101000", "Current Assets", "asset_current"}, {"101402", "Bank Suspense Account", "asset_current"}, {"251000", "Tax Received", "liability_current"},
		{"400000", "Product Sales", "income"}, {"600000", "Expenses", "expense"}, {"601000", "Other", "expense"}, {"101405", "Bank", "asset_cash"}, {"121000", "Account Receivable", "asset_receivable"}} {
		s.put("account.account", int64(i+20), s.accountOf(a[0], a[1], a[2]))
	}
	s.put("account.journal", 3, s.b.Models["account.journal"][3].with(record{"default_account_id": int64(bankAccount), "suspense_account_id": int64(suspense)}))
	s.seedMethods()
	s.put("account.tax", 1, record{"name": "15%", "type_tax_use": "sale", "amount": 15.0, "amount_type": "percent", "company_id": int64(1)})
	s.repartition(1, int64(22))
	s.b.Models["ir.model.fields"] = map[int64]record{}
	for i, m := range []string{"account.move", "res.partner"} { // no sales application is installed
		s.put("ir.model", int64(i+1), record{"model": m, "name": m})
	}
	s.put("account.analytic.plan", 1, record{"name": "Project"})
	if s.Stock {
		s.put("stock.warehouse", 1, record{"name": "My Company", "code": "WH", "company_id": int64(1)})
	}
	if s.Second != "" {
		s.seedSecond()
	}
}

// seedSecond is a company beside the first, with a chart of its own under the same codes. The integration user may work in both.
func (s *Server) seedSecond() {
	s.company = 2
	s.put("res.company", 2, record{"name": s.Second, "currency_id": int64(1), "user_ids": []any{int64(2), int64(3)}, "fiscalyear_lock_date": false, "tax_lock_date": false})
	s.add("account.journal", record{"code": "MISC", "name": "Miscellaneous Operations", "type": "general", "company_id": int64(2)})
	for _, a := range [][3]string{{"101000", "Current Assets", "asset_current"}, {"400000", "Product Sales", "income"}, {"121000", "Account Receivable", "asset_receivable"}} {
		s.add("account.account", s.accountOf(a[0], a[1], a[2]))
	}
	s.company = 0
}

func (s *Server) accountOf(code, name, kind string) record {
	r := record{"code": code, "name": name, "account_type": kind}
	if s.Version < 18 {
		r["company_id"] = s.here()
	} else {
		r["company_ids"] = []any{s.here()}
	}
	if s.Version < 19 {
		r["deprecated"] = false
	} else {
		r["active"] = true
	}
	if kind == "asset_receivable" {
		r["reconcile"] = true
	}
	return r
}
