package web

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// funcs is what templates may call.
func funcs(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"amount": amount, "debit": debit, "credit": credit, "neg": money.Amount.Neg, "total": total,
		"date": date, "when": when, "clock": clock, "ago": func(t time.Time) string { return ago(now(), t) }, "fresh": func(t time.Time) string { return freshness(now(), t) },
		"measure": measureLabel, "state": stateOf, "docState": docState, "outcome": outcomeText, "paymentState": paymentText, "sure": sureText, "roleHint": roleHint, "ruleTitle": ruleTitle,
		"dayURL": dayURL, "lineURL": lineURL, "ticketURL": ticketURL, "caseURL": caseURL, "locationURL": locationURL,
		"action": actionOf, "others": otherActions, "short": clip, "join": strings.Join, "weekdays": weekdays, "hasDay": hasDay,
		"dict": dict, "offset": offset, "sentence": asSentence, "capital": func(s string) string { return strings.TrimSuffix(asSentence(s), ".") }, "lineLabel": lineLabel, "dayKey": newDayKey, "dayCSV": dayCSVURL, "daysOf": daysURL,
		"deviceURL": deviceURL, "fleetDeviceURL": fleetDeviceURL, "bundleURL": bundleURL, "standing": standingOf, "commandWords": commandWords,
		"connection": connectionOf, "credential": func(d view.DeviceView) credentialWords { return credentialOf(d, now()) }, "reviewText": reviewText, "modeText": modeText, "moveText": moveText, "payText": payText, "stepText": stepText, "rolloutText": rolloutText, "modes": func() []rollup.Mode { return rollup.Modes }, "periodText": periodText, "periods": periods, "reviewURL": reviewURL, "dash": dash, "shadowURL": shadowURL, "xlsx": func(csv string) string { return strings.Replace(csv, ".csv", ".xlsx", 1) }, "dayOf": dayOf,
		"list": func(s ...string) []string { return s }, "add": func(a, b int) int { return a + b }, "big": func(title string) bool { return title == "Net sales" || title == "Tax" || title == "Tendered" },
	}
}

// amount writes 1,234.50 with the currency's decimals; the sign is an ASCII minus, so that a copied figure stays a number.
func amount(a money.Amount) string {
	s := a.Decimal()
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, cents, has := strings.Cut(s, ".")
	var b strings.Builder
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	if has {
		return sign + b.String() + "." + cents
	}
	return sign + b.String()
}

// dayOf is a day where the year is said above it.
func dayOf(d retail.BusinessDate) string {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return string(d)
	}
	return t.Format("Mon 2 Jan")
}

// dash is an amount in a table where most are nothing.
func dash(a money.Amount) string {
	if a.IsZero() {
		return "–"
	}
	return amount(a)
}

// debit and credit split a signed amount into its column.
func debit(a money.Amount) string {
	if a.Minor > 0 {
		return amount(a)
	}
	return ""
}

func credit(a money.Amount) string {
	if a.Minor < 0 {
		return amount(a.Neg())
	}
	return ""
}

// total adds for display; what cannot be added (two currencies) is shown as nothing, never as a wrong figure.
func total(a ...money.Amount) money.Amount {
	sum, err := money.Sum(a...)
	if err != nil {
		return money.Amount{}
	}
	return sum
}

func date(d retail.BusinessDate) string {
	t, err := time.Parse("2006-01-02", string(d))
	if err != nil {
		return string(d)
	}
	return t.Format("Mon 2 Jan 2006")
}

// when writes a time in the location's zone, UTC when there is none; the zone is always said.
func when(t time.Time, zone string) string {
	if t.IsZero() {
		return "–"
	}
	z, err := time.LoadLocation(zone)
	if err != nil || zone == "" {
		z = time.UTC
	}
	return t.In(z).Format("2 Jan 2006 15:04:05 MST")
}

func clock(t time.Time, zone string) string {
	if t.IsZero() {
		return "–"
	}
	z, err := time.LoadLocation(zone)
	if err != nil || zone == "" {
		return t.UTC().Format("15:04 MST")
	}
	return t.In(z).Format("15:04")
}

func ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	if d < 10*time.Second {
		return "just now"
	}
	return roughly(d) + " ago"
}

// Silence becomes worth a look after a quarter of an hour, and serious after a day.
const (
	quietAfter  = 15 * time.Minute
	silentAfter = 24 * time.Hour
)

func freshness(now, t time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero() || d > silentAfter:
		return "bad"
	case d > quietAfter:
		return "warn"
	}
	return "good"
}

// roughly is a duration as people say it.
func roughly(d time.Duration) string {
	one := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch {
	case d < 2*time.Minute:
		return one(int(d/time.Second), "second")
	case d < 2*time.Hour:
		return one(int(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return one(int(d/time.Hour), "hour")
	}
	return one(int(d/(24*time.Hour)), "day")
}

// offset is a till's clock against ours.
func offset(d time.Duration) string {
	switch {
	case d > -time.Second && d < time.Second:
		return "right"
	case d < 0:
		return roughly(-d) + " slow"
	}
	return roughly(d) + " fast"
}

// clip shortens by characters, for lists.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

func query(path string, kv ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		if kv[i+1] != "" {
			v.Set(kv[i], kv[i+1])
		}
	}
	return path + "?" + v.Encode()
}

func dayURL(k rollup.DayKey) string {
	return query("/day", "location", string(k.Location), "date", string(k.Day))
}

func dayCSVURL(k rollup.DayKey) string {
	return query("/day.csv", "location", string(k.Location), "date", string(k.Day))
}

func daysURL(l retail.LocationCode) string { return query("/", "location", string(l)) }

func newDayKey(l retail.LocationCode, d retail.BusinessDate) rollup.DayKey {
	return rollup.DayKey{Location: l, Day: d}
}

// lineURL opens a figure to its tickets; document 0 = the whole day, view.Pending = what came since the last one.
func lineURL(k rollup.DayKey, document int, m ledger.Account) string {
	doc := ""
	if document != 0 {
		doc = fmt.Sprint(document)
	}
	return query("/day/tickets", "location", string(k.Location), "date", string(k.Day), "document", doc, "measure", string(m))
}

func ticketURL(id int64) string                { return fmt.Sprintf("/ticket/%d", id) }
func caseURL(id string) string                 { return query("/case", "id", id) }
func locationURL(l retail.LocationCode) string { return query("/location", "code", string(l)) }

// dict hands a shared part more than one value.
func dict(kv ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(kv); i += 2 {
		k, ok := kv[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", kv[i])
		}
		m[k] = kv[i+1]
	}
	return m, nil
}
