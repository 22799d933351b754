package filedrop_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/tillpost/tillpost/agent/source/filedrop"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// The four sheets of Heartland Restaurant's portal for one day, as far as they are known: titles, headings and places of the columns.
var (
	salesByDay = [][]any{{"SALES BY DAY REPORT"}, {"11/20/2026 - 11/20/2026"}, {"DATE", "TICKETS", "GUESTS", "DISCOUNTS", "REFUNDS", "TAX", "GROSS", "NET"},
		{"11/20/2026 Fri", 41, 60, -5.5, 0, 80.04, 1086.04, 1000.5}}
	topItems = [][]any{{"TOP ITEM SALES REPORT"}, {"Nov 20, 2026"}, {"ITEMS"}, {"ITEM", "QTY", "CATEGORY", "SALES", "DISCOUNTS", "REFUNDS", "TAX"},
		{"Latte", 100, "Coffee", 500.25, -5.5, 0, 40.02}, {"Scone", 50, "Pastries", 255.75, nil, nil, 20.01}, {"Mug", 10, "Merchandise", "250.00", nil, nil, 20.01},
		{"Grand Total", 160, nil, 1006, -5.5, 0, 80.04}}
	modifiers = [][]any{{"MODIFIER SALES REPORT"}, {"11/20/2026"}, {"MODIFIER", "GROUP", "QTY", "AVG", "SALES"}, {"Oat milk", "Milk", 10, 0.5, 5}, {"Total", nil, 10, nil, 5}}
	payments  = [][]any{{"PAYMENT SUMMARY REPORT"}, {"11/20/2026"}, {"TYPE", "COUNT", "TIPS", "REFUNDS", "AMOUNT"}, {"Credit Card", 30, 0, 0, 800.1}, {"  VISA", 20, 0, 0, 500.1},
		{"Cash", 11, 0, 0, 270.44}, {"Gift Certificate", 1, 0, 0, 10}, {"Total", 42, 0, 0, 1080.54}}
)

func book(t *testing.T, dir, name string, rows [][]any) string {
	t.Helper()
	x := excelize.NewFile()
	for i, row := range rows {
		if err := x.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, name)
	if err := x.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// read imports a file through a shipped profile and returns the records that the hub would make of it.
func read(t *testing.T, path, name string, at retail.LocationCode) (out []retail.Record, rep filedrop.Report) {
	t.Helper()
	p, ok := profile.Shipped(name)
	if !ok {
		t.Fatalf("the profile %s is not shipped", name)
	}
	var k kept
	rep, err := filedrop.Import{Path: path, Profile: p, Location: at, Stream: envelope.Sales}.Run(t.Context(), &k)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range k.drafts {
		if d.Kind != decode.Rows {
			continue
		}
		rec, err := decode.Decoder{}.Decode(d.Kind, d.ContentType, d.Body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out = append(out, rec)
	}
	return out, rep
}

func ticket(t *testing.T, rs []retail.Record) retail.Ticket {
	t.Helper()
	if len(rs) != 1 {
		t.Fatalf("%d records", len(rs))
	}
	tk, ok := rs[0].(retail.Ticket)
	if !ok {
		t.Fatalf("a %T", rs[0])
	}
	if tk.Day != "2026-11-20" || tk.Location != "S1" || tk.Key.Scope != "S1" {
		t.Errorf("it is of %s at %s, scope %q", tk.Day, tk.Location, tk.Key.Scope)
	}
	return tk
}

func tenders(tk retail.Ticket) string {
	out := ""
	for _, p := range tk.Tenders {
		out += fmt.Sprintf("%s %s; ", p.Type, p.Amount.Decimal())
	}
	return out
}

func TestReportSheetsOfARestaurantsDay(t *testing.T) {
	dir := t.TempDir()
	rs, _ := read(t, book(t, dir, "sales.xlsx", salesByDay), "heartland-restaurant-sales-by-day", "S1")
	day := ticket(t, rs)
	if total, _ := day.Total(); total.Minor != 108054 || tenders(day) != "on_account 1080.54; " {
		t.Errorf("the day comes to %s, paid %s", total, tenders(day))
	}
	rs, rep := read(t, book(t, dir, "items.xlsx", topItems), "heartland-restaurant-top-items", "S1")
	items := ticket(t, rs)
	if total, _ := items.Total(); total.Minor != 108054 || rep.Rows != 3 || rep.Cases != 0 {
		t.Errorf("the items come to %s: %+v", total, rep)
	}
	by := map[string]string{}
	for _, l := range items.Lines {
		if l.Kind == retail.Item {
			by[l.Category] = l.Amount.Decimal()
		}
	}
	if by["Coffee"] != "494.75" || by["Pastries"] != "255.75" || by["Merchandise"] != "250.00" {
		t.Errorf("categories: %v", by)
	}
	if items.Key != day.Key || items.Rank <= day.Rank {
		t.Errorf("the items do not stand in the place of the day's one figure: %v and %v", items.Key, day.Key)
	}
	rs, _ = read(t, book(t, dir, "modifiers.xlsx", modifiers), "heartland-restaurant-modifiers", "S1")
	if mods := ticket(t, rs); len(mods.Lines) != 1 || mods.Lines[0].Amount.Minor != 500 {
		t.Errorf("modifiers: %+v", mods.Lines)
	}
	rs, rep = read(t, book(t, dir, "payments.xlsx", payments), "heartland-restaurant-payments", "S1")
	paid := ticket(t, rs)
	if tenders(paid) != "credit_card 800.10; on_account -1080.54; cash 270.44; gift_certificate 10.00; " || rep.Rows != 3 {
		t.Errorf("paid: %s; %+v", tenders(paid), rep)
	}
	rs, _ = read(t, book(t, dir, "sales.xlsx", salesByDay), "heartland-restaurant-sales-by-day-control", "S1")
	if c, ok := rs[0].(retail.Control); !ok || c.Day != "2026-11-20" || c.Gross.Minor != 100050 || c.Tax.Minor != 8004 || c.Paid.Currency != "" || c.Tickets != -1 {
		t.Errorf("control total: %+v", rs[0])
	}
}

// A report's day is named above its table, or by its file's name; without one it is a case, never a guess.
func TestAReportOfNoDay(t *testing.T) {
	dir := t.TempDir()
	undated := append([][]any{{"PAYMENT SUMMARY REPORT"}}, payments[2:]...)
	rs, _ := read(t, book(t, dir, "payments 2026-11-20.xlsx", undated), "heartland-restaurant-payments", "S1")
	if tk := ticket(t, rs); tk.Day != "2026-11-20" {
		t.Errorf("got %s", tk.Day)
	}
	for name, rows := range map[string][][]any{"payments.xlsx": undated, "p.xlsx": append([][]any{{"PAYMENT SUMMARY REPORT"}, {"11/19/2026 - 11/20/2026"}}, payments[2:]...), "wrong.xlsx": salesByDay} {
		p, _ := profile.Shipped("heartland-restaurant-payments")
		rep, err := filedrop.Import{Path: book(t, dir, name, rows), Profile: p, Location: "S1", Stream: envelope.Sales}.Run(t.Context(), &kept{})
		if err != nil || rep.Tickets != 0 || len(rep.Bad) == 0 && rep.Refused == "" {
			t.Errorf("%s: %+v, %v", name, rep, err)
		}
	}
}

// Heartland Retail's sales-history CSV, and the item sheet of Heartland Restaurant with a voided row and real dates in its cells.
func TestHeartlandTickets(t *testing.T) {
	dir := t.TempDir()
	f := folder(t, "csv")
	f.Dir = dir
	write(t, f, "history.csv", "Ticket #,Customer #,Completed At,Sales Rep,Location #,Tax Total,Item #,Item Original Unit Price,Item Adjusted Unit Price,Item Qty\n"+
		"100123,100200,2026-01-17T02:23:29+00:00,Derek,100005,3.00,60240-all,55.00,50.00,1\n"+
		"100124,,2026-01-17T02:25:00.123Z,Derek,100005,-0.60,SR1,10.00,10.00,-1\n"+
		"100123,100200,2026-01-17T02:23:29+00:00,Derek,100005,3.00,SR2,\"1,000.00\",\"1,000.00\",2\n")
	rs, rep := read(t, filepath.Join(dir, "history.csv"), "heartland-retail-sales-history", "")
	if len(rs) != 2 || rep.Cases != 0 {
		t.Fatalf("%+v", rep)
	}
	one, two := rs[0].(retail.Ticket), rs[1].(retail.Ticket)
	if a, _ := one.Total(); a.Minor != 205300 || one.Location != "100005" || len(one.Lines) != 3 {
		t.Errorf("got %s at %s in %d lines", a, one.Location, len(one.Lines))
	}
	if b, _ := two.Total(); b.Minor != -1060 || two.Kind != retail.Return {
		t.Errorf("got %s, %s", b, two.Kind)
	}
	head := []any{"Ticket Closed DateTime", "Ticket Number", "Item ID", "Description", "Quantity", "Unit Price", "Unit Discount", "Discount Description", "Employee ID", "void_dt"}
	rs, rep = read(t, book(t, dir, "items.xlsx", [][]any{head, {46346.75, "7", "i1", "Soup", 2, 4.5, 0.25, "Happy hour", "e1", ""}, {46346.75, "7", "i2", "Roll", 1, 1.5, nil, nil, "e1", "2026-11-20 18:01:00"},
		{46346.5, "8", "i2", "Roll", 1, 1.5, nil, nil, "e1", "2026-11-20 18:01:00"}}), "heartland-restaurant-items", "S1")
	if len(rs) != 2 || rep.Cases != 0 {
		t.Fatalf("%+v", rep)
	}
	soup, void := rs[0].(retail.Ticket), rs[1].(retail.Ticket)
	if total, _ := soup.Total(); total.Minor != 850 || soup.At.Format("2006-01-02 15:04") != "2026-11-20 23:00" {
		t.Errorf("got %s at %s", total, soup.At)
	}
	if void.Kind != retail.Void || len(void.Lines) != 0 {
		t.Errorf("a ticket of voided rows alone is %s with %d lines", void.Kind, len(void.Lines))
	}
}
