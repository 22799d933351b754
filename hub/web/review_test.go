package web_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// shadowOf answers with a day of each location that is asked for, S1 when it is all.
type shadowOf struct{}

func (shadowOf) ShadowReport(_ context.Context, f view.ReviewFilter) (r view.ShadowReport, err error) {
	for _, l := range []retail.LocationCode{"S1", "S2"} {
		if f.Location != "" && f.Location != l || f.Only != nil && f.Only[0] != l {
			continue
		}
		theirs := int64(-123440)
		if l == "S2" {
			theirs = -5
		}
		r.Days = append(r.Days, view.ShadowDay{Location: l, Day: "2026-11-20", State: "shadow", Difference: money.Of(10, "USD"),
			Lines: []view.ShadowLine{{Account: "400", Label: evil, Ours: money.Of(theirs-10, "USD"), Theirs: money.Of(theirs, "USD"), Difference: money.Of(-10, "USD")}}})
	}
	return r, nil
}

func TestReviewShowsASpanAndRunsNoScript(t *testing.T) {
	w := newSite(t)
	w.signIn(t, "ann", "correct horse 9")
	for path, want := range map[string][]string{
		"/review?period=month&of=2026-11":                        {"November 2026", "1,234.50", "Net sales by location", "<svg", "By location", "cash"},
		"/review?location=S1&period=week&of=2026-11-20":          {"week 47 of 2026", "Fri 20 Nov<", "How it was paid"},
		"/review?location=S1&period=day&of=2026-11-20":           {"1,234.50"},
		"/review?location=S1&period=month&of=2026-10":            {"No store-day", "<h1>S1, October 2026</h1>"},
		"/review.csv?location=S1&period=month&of=2026-11":        {"S1", "2026-11-20", "1234.50", "tender cash"},
		"/review/lines.csv?location=S1&period=day&of=2026-11-20": {"Sales,", "1234.50"},
		"/shadow?location=S1&from=2026-11-20&to=2026-11-20":      {"0 of 1", "0.10 USD differ", "1,234.40"},
		"/shadow.csv?from=2026-11-20&to=2026-11-20":              {"-1234.50", "-0.10"},
	} {
		code, page := w.get(t, path)
		for _, s := range want {
			if code != http.StatusOK || !strings.Contains(page, s) {
				t.Errorf("%s: %d, %q is missing in %s", path, code, s, page)
			}
		}
		if !strings.Contains(path, ".csv") && strings.Contains(page, "<script") {
			t.Errorf("%s lets a script through", path)
		}
	}
	for _, bad := range []string{"/review?of=soon", "/review?period=year", "/shadow?from=x"} {
		if code, _ := w.get(t, bad); code != http.StatusBadRequest {
			t.Errorf("%s gave %d", bad, code)
		}
	}
}

// A store's user sees of each page and of each download only what is of the store, whatever the query asks for.
func TestEveryPageAndDownloadIsLimitedToTheUsersLocations(t *testing.T) {
	w := newSite(t)
	w.signIn(t, "store", "correct horse 9")
	span := "period=month&of=2026-11"
	for _, p := range []string{"/", "/days", "/payments", "/cases", "/locations", "/review?" + span, "/review/lines?" + span, "/shadow?from=2026-11-20&to=2026-11-20"} {
		path, q, _ := strings.Cut(p, "?")
		for _, end := range []string{"", ".csv", ".xlsx"} {
			if path == "/" && end != "" || path == "/days" && end == "" || path == "/review/lines" && end == "" {
				continue
			}
			code, body := w.get(t, path+end+"?"+q)
			if end == ".xlsx" {
				body = strings.Join(cells(t, []byte(body)), "|")
			}
			if code != http.StatusOK || strings.Contains(body, "1,234.50") || strings.Contains(body, "1234.5") || strings.Contains(body, "S1") {
				t.Errorf("%s%s: %d shows another store: %s", path, end, code, body)
			}
		}
	}
	for _, p := range []string{"/day?location=S1&date=2026-11-20", "/day/tickets?location=S1&date=2026-11-20", "/location?code=S1", "/review?location=S1&" + span, "/review/lines?location=S1&" + span, "/shadow?location=S1"} {
		path, q, _ := strings.Cut(p, "?")
		for _, end := range []string{"", ".csv", ".xlsx"} {
			if code, body := w.get(t, path+end+"?"+q); code != http.StatusNotFound {
				t.Errorf("%s%s: %d %s", path, end, code, body)
			}
		}
	}
}

func TestAWorkbookHoldsNumbersAndNeverAFormula(t *testing.T) {
	w := newSite(t)
	f := view.LocationForm{Code: "S1", Name: `=HYPERLINK("http://evil","x")`, Zone: "UTC", Cutoff: "00:00", Currency: "USD"}
	if err := w.PutLocation(t.Context(), f, "test"); err != nil {
		t.Fatal(err)
	}
	w.signIn(t, "ann", "correct horse 9")
	for _, path := range []string{"/days.xlsx", "/day.xlsx?location=S1&date=2026-11-20", "/day/tickets.xlsx?location=S1&date=2026-11-20", "/payments.xlsx", "/cases.xlsx", "/locations.xlsx",
		"/review.xlsx?period=month&of=2026-11", "/review/lines.xlsx?period=month&of=2026-11", "/shadow.xlsx"} {
		code, body := w.get(t, path)
		if code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
			continue
		}
		got := cells(t, []byte(body))
		if strings.HasPrefix(path, "/review.") && (!contains(got, f.Name) || !contains(got, "1,234.50")) {
			t.Errorf("%s holds %q", path, got)
		}
	}
	if _, body := w.get(t, "/review.csv?period=month&of=2026-11"); !strings.Contains(body, `'=HYPERLINK`) {
		t.Errorf("a formula in the CSV: %s", body)
	}
}

func contains(list []string, want string) bool {
	for _, s := range list {
		if s == want {
			return true
		}
	}
	return false
}

// cells reads a workbook and checks that nothing in it is computed.
func cells(t *testing.T, body []byte) (out []string) {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("no workbook: %v", err)
	}
	defer f.Close()
	sheet := f.GetSheetName(0)
	rows, err := f.GetRows(sheet)
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for i, row := range rows {
		for j, v := range row {
			at, _ := excelize.CoordinatesToCellName(j+1, i+1)
			if formula, err := f.GetCellFormula(sheet, at); err != nil || formula != "" {
				t.Errorf("%s is computed: %q %v", at, formula, err)
			}
			out = append(out, v)
		}
	}
	return out
}

func TestOnlyDecidersSayWhetherDaysArePosted(t *testing.T) {
	w := newSite(t)
	form := func() url.Values {
		return url.Values{"csrf": {w.csrf(t)}, "code": {"S1"}, "name": {"First"}, "zone": {"UTC"}, "cutoff": {"00:00"}, "currency": {"USD"}, "review": {"person"}, "shadow": {"2026-12-01"}}
	}
	for _, c := range []struct {
		who  string
		code int
	}{{"eve", http.StatusForbidden}, {"ida", http.StatusForbidden}, {"ann", http.StatusOK}, {"ida", http.StatusOK}} { // then it says nothing new
		w.signIn(t, c.who, "correct horse 9")
		if code, page := w.post(t, "/location", form()); code != c.code {
			t.Errorf("%s: %d %s", c.who, code, page)
		}
	}
	ls, err := w.LocationViews(t.Context(), view.LocationFilter{})
	if err != nil || ls[0].Review != view.ByPerson || ls[0].Shadow != "2026-12-01" {
		t.Errorf("got %+v %v", ls, err)
	}
	w.signIn(t, "ann", "correct horse 9")
	hold := url.Values{"csrf": {w.csrf(t)}, "location": {"S1"}, "date": {"2026-11-20"}, "what": {"hold"}}
	if code, page := w.post(t, "/day/decide", hold); code != http.StatusBadRequest || !strings.Contains(page, "why it is held") {
		t.Errorf("a hold without a reason: %d", code)
	}
}
