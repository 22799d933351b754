package odoo_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
)

// A month of 300 locations is read back in pages, under 2 calls per 100 documents, and what somebody deleted among them is found. On a real server it is a
// smaller month: ODOO_DAYS store-days, 120 unless told.
func TestAMonthIsReadBackInPages(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		if s.fake != nil && s.version(t) != 18 {
			t.Skip("one fake version is enough for 9,000 documents: the versions differ in nothing that is asked here")
		}
		o := options
		docs := 9000
		if testing.Short() {
			docs = 900
		}
		o.Locations = map[retail.LocationCode]string{"S-NY": "New York", "S 2/ä": "A code with space, slash and umlaut"}
		if s.fake == nil {
			if docs, _ = strconv.Atoi(os.Getenv("ODOO_DAYS")); docs == 0 {
				docs = 120
			}
		} else {
			for i := len(o.Locations); i < 300; i++ {
				o.Locations[retail.LocationCode(fmt.Sprintf("S-%03d", i))] = ""
			}
		}
		rep, err := odoo.Setup(t.Context(), s.client(t), o)
		if err != nil {
			t.Fatal(err)
		}
		box := month(t, rep, o.Locations, docs)
		w, c := s.writer(t, box, newHub())
		begun := time.Now()
		for box.open() > 0 {
			was := box.open()
			step(t, w)
			if box.open() == was {
				t.Fatalf("%d of %d documents do not go", was, docs)
			}
		}
		posted, calls := time.Since(begun), c.Calls()
		begun = time.Now()
		n, err := w.Look(t.Context(), time.Time{})
		if err != nil || n != docs {
			t.Fatalf("read %d of %d: %v", n, docs, err)
		}
		spent := c.Calls() - calls
		t.Logf("%d documents posted in %s; read back in %s by %d calls, %.2f per 100", docs, posted.Round(time.Second), time.Since(begun).Round(time.Millisecond), spent, float64(spent)*100/float64(docs))
		if spent*100 >= 2*int64(docs) {
			t.Errorf("%d calls for %d documents: want under 2 per 100", spent, docs)
		}
		if box.open() != 0 {
			t.Errorf("%d documents are said to differ, and nobody has touched them", box.open())
		}
	})
}

// month is store-days of locations, one after the other, on days that no other run has.
func month(t *testing.T, rep odoo.SetupReport, locations map[retail.LocationCode]string, n int) *outbox {
	t.Helper()
	set := mapping.Set{Rules: rep.Rules, Version: 1}
	var docs []rollup.Document
	for day := unusedDay(); ; day = day.AddDays(1) {
		for l := range locations {
			if docs = append(docs, document(t, set, rep.Books, l, day)); len(docs) == n {
				return newOutbox(docs...)
			}
		}
	}
}

// Documents of several companies fill their pages together: entries that alternate cost as many calls as entries of one company.
func TestSeveralCompaniesAreReadBackInFullPages(t *testing.T) {
	s := newFakeSecond(t, 19)
	first, err := s.setup(t)
	if err != nil {
		t.Fatal(err)
	}
	other, o := s, options
	other.cfg.Company, o.Have, o.Books = secondName, mapping.Set{Rules: first.Rules, Version: 1}, first.Books
	if _, err := odoo.Setup(t.Context(), other.client(t), o); err != nil {
		t.Fatal(err)
	}
	box := month(t, first, map[retail.LocationCode]string{"S-NY": "", "S 2/ä": ""}, 800)
	for _, k := range box.tasks {
		if k.Document.Key.Location != "S-NY" {
			k.Company = secondName
		}
	}
	w, c := s.writer(t, box, newHub())
	for box.open() > 0 {
		step(t, w)
	}
	calls := c.Calls()
	if n, err := w.Look(t.Context(), time.Time{}); err != nil || n != 800 {
		t.Fatalf("read %d: %v", n, err)
	}
	if n := c.Calls() - calls; n != 4 {
		t.Errorf("800 documents of two companies took %d calls, want 4", n)
	}
}
