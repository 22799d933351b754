package guard_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/guard"
)

func TestCardNumbersAreMasked(t *testing.T) {
	for in, want := range map[string]string{
		"4111111111111111":                                   "411111******1111",
		"paid with 4111 1111 1111 1111 today":                "paid with 4111 11** **** 1111 today",
		"paid with 4111\u00a01111\u00a01111\u00a01111 today": "paid with 4111\u00a011**\u00a0****\u00a01111 today",
		`{"ref":"5500-0000-0000-0004"}`:                      `{"ref":"5500-00**-****-0004"}`,
		"378282246310005":                                    "378282*****0005",
		`"note":"card 6011111111111117, ok"`:                 `"note":"card 601111******1117, ok"`,
		"2223003122003222":                                   "222300******3222",
		"CREDIT CARD4111 1111 1111 1111 exp":                 "CREDIT CARD4111 11** **** 1111 exp",
		"card 4111 1111 1111 1111exp06/17":                   "card 4111 11** **** 1111exp06/17",
		"a4111111111111111b":                                 "a411111******1111b",
		"213193010310510":                                    "213193*****0510",
	} {
		if got := guard.Text(in); got != want {
			t.Errorf("Text(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestWhatIsNoCardNumberStays(t *testing.T) {
	for _, s := range []string{"4111111111111112", "2026-11-24T10:00:00.000000", "20261124100000123", "1234567890123", "ticket 1-00012", "12345678.4111111111",
		"9780306406157", "S-NY-000042", `{"amount":"411111111111.11"}`, "018f3b1c-4111-7111-8111-111111111111", `{"pinned":true}`} {
		if got := guard.Text(s); got != s {
			t.Errorf("Text(%q) became %q", s, got)
		}
	}
}

func TestWhatMayNeverBeKeptIsDropped(t *testing.T) {
	for _, s := range []string{`{"cvv":"123"}`, `{"CVV2": 123}`, `card_security_code=999`, `{"pin_block":"A1B2"}`, "%B4111111111111111^DOE/JOHN^29121010000000000?",
		";4111111111111111=29121010000000000?", "4111111111111111=2912101", `{"track2":"x"}`, "9F2608AABB57134111111111111111D2912101000000000F"} {
		got := guard.Text(s)
		if !strings.Contains(got, "removed") || strings.Contains(got, "4111111111111111") || strings.Contains(got, "123\"") {
			t.Errorf("Text(%q): got %q", s, got)
		}
	}
}

func TestKeyBecomesATokenOnlyWhenItIsACardNumber(t *testing.T) {
	a, b := guard.Key([]byte("s"), "4111111111111111"), guard.Key([]byte("s"), "4111111111111111")
	if a != b || strings.Contains(a, "4111") || a == guard.Key([]byte("s"), "5500000000000004") {
		t.Errorf("tokens %q %q", a, b)
	}
	if got := guard.Key([]byte("s"), "1-00042"); got != "1-00042" {
		t.Errorf("a plain key became %q", got)
	}
}

func TestLogsAreClean(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(guard.Handler(slog.NewJSONHandler(&b, nil))).With("a", "4111111111111111").WithGroup("g")
	log.Info("card 4111111111111111", "err", errText("bad 5500000000000004"), slog.Group("x", "y", "378282246310005"))
	for _, pan := range []string{"4111111111111111", "5500000000000004", "378282246310005"} {
		if strings.Contains(b.String(), pan) {
			t.Errorf("%s stands in the log: %s", pan, b.String())
		}
	}
}

type errText string

func (e errText) Error() string { return string(e) }

func FuzzText(f *testing.F) {
	for _, s := range []string{"4111111111111111", "4111 1111 1111 1111", `{"cvv":"1"}`, "%B4111111111111111^A/B^2912?", "\xff4111111111111111"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := guard.Text(s)
		if twice := guard.Text(once); twice != once {
			t.Errorf("cleaning %q twice: %q then %q", s, once, twice)
		}
		if strings.Contains(once, " 4111111111111111 ") {
			t.Errorf("a card number is left in %q", once)
		}
	})
}

func BenchmarkTicket(b *testing.B) {
	body := bytes.Repeat([]byte(`{"id":"S-NY-000042","amount":"12.34","at":"2026-11-24T10:00:00Z","last4":"1111"},`), 25)
	b.SetBytes(int64(len(body)))
	for range b.N {
		guard.Bytes(body)
	}
}
