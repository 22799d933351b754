package profile_test

import (
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// TestAHeadingTwice: which of two prices counts nobody can say; where both say the same, or the profile reads neither, nothing is in doubt.
func TestAHeadingTwice(t *testing.T) {
	p, err := profile.Parse([]byte("name='x'\nformat='csv'\ncurrency='USD'\nzone='America/Chicago'\ntimes=['2006-01-02']\n[ticket]\nid='{No}'\nat='{Day}'\nlocation='S'\n[[line]]\nkind='item'\namount='{Price}'\n[[line]]\nkind='tip'\namount='{Tip?}'\n[[tender]]\ntype='cash'\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, head, row string
		says            string // "" = it is a ticket of 5.00
	}{
		{"another price", "No,Day,Price, Price", "1,2026-11-20,5,6", `row 2: the heading "Price" stands over columns 3 and 4, and the row has "5" in one and "6" in the other`},
		{"the same price", "No,Day,Price,Price", "1,2026-11-20,5, 5 ", ""},
		{"an empty one", "No,Day,Price,Price", "1,2026-11-20,,5", `"" in one and "5"`},
		{"a row that ends before it", "No,Day,Price,Price", "1,2026-11-20,5", `"5" in one and ""`},
		{"another number", "No,Day,Price,No", "1,2026-11-20,5,2", `"No" stands over columns 1 and 4`},
		{"one that may be absent", "No,Day,Price,Tip,Tip", "1,2026-11-20,5,0,1", `"Tip" stands over`},
		{"thrice", "No,Day,Price,Price,Price", "1,2026-11-20,5,5,6", "columns 3 and 5"},
		{"one that nobody reads", "No,Day,Price,Note,Note", "1,2026-11-20,5,a,b", ""},
		{"no heading at all", "No,Day,Price,,", "1,2026-11-20,5,a,b", ""},
	} {
		rec, err := p.Decode(profile.Rows{File: "a.csv", Header: strings.Split(c.head, ","), Rows: []profile.Row{{N: 2, Cells: strings.Split(c.row, ",")}}})
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %+v, %v", c.name, rec, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if total, _ := rec.(retail.Ticket).Total(); total.Minor != 500 {
			t.Errorf("%s: %s", c.name, total)
		}
	}
}

// TestAnUnclearRowIsNotLeftOut: a row is left out as decoration by an empty cell, but not where its heading stands twice and the other cell is full.
func TestAnUnclearRowIsNotLeftOut(t *testing.T) {
	p, err := profile.Parse([]byte("name='x'\nformat='csv'\ncurrency='USD'\nzone='America/Chicago'\ntimes=['2006-01-02']\nonly=['{Price}']\n[ticket]\nid='{No}'\nat='{Day}'\nlocation='S'\n[[line]]\nkind='item'\namount='{Price}'\n[[tender]]\ntype='cash'\n"))
	if err != nil {
		t.Fatal(err)
	}
	head := p.Head(profile.Rows{Header: []string{"No", "Day", "Price", "Price"}})
	for cells, skipped := range map[string]bool{"1,2026-11-20,,": true, "1,2026-11-20,,5": false, "1,2026-11-20,5,5": false} {
		if got := p.Skips(head, strings.Split(cells, ",")); got != skipped {
			t.Errorf("%s is left out: %v", cells, got)
		}
	}
}
