package match

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

var noon = time.Date(2026, 11, 20, 17, 0, 0, 0, time.UTC)

func pay(id int64, cents int64, at time.Duration, change ...func(*Payment)) Payment {
	p := Payment{ID: id, Payment: retail.Payment{Key: retail.Key{ID: "119312966" + string(rune('0'+id))}, At: noon.Add(at), State: retail.PaymentClosed, Amount: money.Of(cents, "USD"), Brand: "Visa", Last4: "1111", Till: "T1"}}
	for _, c := range change {
		c(&p)
	}
	return p
}

func paid(id int64, cents int64, at time.Duration, change ...func(*Tender)) Tender {
	t := Tender{ID: id, Number: "N", Key: "K", Till: "T1", At: noon.Add(at), Tender: retail.Tender{Type: "card", Amount: money.Of(cents, "USD"), Last4: "1111"}}
	for _, c := range change {
		c(&t)
	}
	return t
}

func TestOne(t *testing.T) {
	for name, c := range map[string]struct {
		p    Payment
		t    Tender
		want Confidence
		diff int64
	}{
		"gateway's number":         {pay(1, 1000, 0), paid(1, 1000, 72*time.Hour, func(t *Tender) { t.Ref = "1193129661" }), Certain, 0},
		"another amount":           {pay(1, 1200, 0), paid(1, 1000, 0, func(t *Tender) { t.Ref = "1193129661" }), Certain, 200},
		"till's number":            {pay(1, 1000, 0, func(p *Payment) { p.Client = "77" }), paid(1, 1000, 0, func(t *Tender) { t.Ref = "77" }), Certain, 0},
		"reference":                {pay(1, 1000, 0, func(p *Payment) { p.Reference = "432915804123" }), paid(1, 1000, 0, func(t *Tender) { t.Ref = "432915804123" }), Certain, 0},
		"voided, by number":        {pay(1, 1000, 0, func(p *Payment) { p.State = retail.PaymentVoided }), paid(1, 1000, 0, func(t *Tender) { t.Ref, t.Void = "1193129661", true }), Certain, 0},
		"ticket named":             {pay(1, 1000, 0, func(p *Payment) { p.Ticket = "N" }), paid(1, 1000, time.Minute, func(t *Tender) { t.Last4 = "" }), Strong, 0},
		"all but ids":              {pay(1, 1000, 0), paid(1, 1000, 40*time.Second), Strong, 0},
		"nine minutes off":         {pay(1, 1000, 0), paid(1, 1000, 9*time.Minute), Likely, 0},
		"another till":             {pay(1, 1000, 0), paid(1, 1000, 9*time.Minute, func(t *Tender) { t.Till = "T2" }), Weak, 0},
		"amount and time":          {pay(1, 1000, 0), paid(1, 1000, 0, func(t *Tender) { t.Last4, t.Till = "", "" }), Weak, 0},
		"stored, sent later":       {pay(1, 1000, 20*time.Hour), paid(1, 1000, 0), Likely, 0},
		"tip only at the gateway":  {pay(1, 1300, 0, func(p *Payment) { p.Tip = money.Of(300, "USD") }), paid(1, 1000, 0), Likely, 300},
		"refund":                   {pay(1, -1000, 0), paid(1, -1000, 0), Strong, 0},
		"another card":             {pay(1, 1000, 0), paid(1, 1000, 0, func(t *Tender) { t.Last4 = "2222" }), "", 0},
		"another brand":            {pay(1, 1000, 0), paid(1, 1000, 0, func(t *Tender) { t.Brand = "amex" }), "", 0},
		"another amount, no id":    {pay(1, 1000, 0), paid(1, 1001, 0), "", 0},
		"sale and refund":          {pay(1, 1000, 0), paid(1, -1000, 0), "", 0},
		"two days later":           {pay(1, 1000, 48*time.Hour), paid(1, 1000, 0), "", 0},
		"an hour before":           {pay(1, 1000, -time.Hour), paid(1, 1000, 0), "", 0},
		"voided, no id":            {pay(1, 1000, 0, func(p *Payment) { p.State = retail.PaymentVoided }), paid(1, 1000, 0), "", 0},
		"declined":                 {pay(1, 1000, 0, func(p *Payment) { p.State = retail.PaymentDeclined }), paid(1, 1000, 0), "", 0},
		"another currency":         {pay(1, 1000, 0), paid(1, 1000, 0, func(t *Tender) { t.Amount = money.Of(1000, "CAD") }), "", 0},
		"nothing but the amount":   {pay(1, 1000, 20*time.Hour), paid(1, 1000, 0, func(t *Tender) { t.Last4, t.Till = "", "" }), "", 0},
		"time that nobody told":    {pay(1, 1000, 0, func(p *Payment) { p.At = time.Time{} }), paid(1, 1000, 0), "", 0},
		"cancelled ticket, no ids": {pay(1, 1000, 0), paid(1, 1000, 0, func(t *Tender) { t.Void = true }), "", 0},
	} {
		got := Match([]Payment{c.p}, []Tender{c.t})
		if c.want == "" {
			if len(got) != 0 {
				t.Errorf("%s: got %+v, want no match", name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Confidence != c.want || got[0].Difference.Minor != c.diff || got[0].Why == "" {
			t.Errorf("%s: got %+v, want %s with %d", name, got, c.want, c.diff)
		}
	}
}

// TestTwins: two alike are paired by time, and that either would fit is said.
func TestTwins(t *testing.T) {
	ps := []Payment{pay(1, 500, 0), pay(2, 500, time.Minute)}
	ts := []Tender{paid(1, 500, 10*time.Second), paid(2, 500, 70*time.Second)}
	got := Match(ps, ts)
	if len(got) != 2 || got[0].Tender != 1 || got[1].Tender != 2 || got[0].Confidence != Likely || got[1].Confidence == Certain {
		t.Errorf("got %+v", got)
	}
}

// TestAnIDBeatsALook: a pair by id takes the tender from one that only looks alike.
func TestAnIDBeatsALook(t *testing.T) {
	got := Match([]Payment{pay(1, 500, 0), pay(2, 500, 20*time.Minute)}, []Tender{paid(1, 500, 0, func(t *Tender) { t.Ref = "1193129662" })})
	if len(got) != 1 || got[0].Payment != 2 || got[0].Confidence != Certain {
		t.Errorf("got %+v", got)
	}
}

// TestOrderDoesNotMatter: and each payment and tender is used once.
func TestOrderDoesNotMatter(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var ps []Payment
		var ts []Tender
		for i := range int64(9) {
			at := time.Duration(dice.IntN(30)) * time.Minute
			ps = append(ps, pay(i+1, int64(100*(1+dice.IntN(3))), at))
			ts = append(ts, paid(i+1, int64(100*(1+dice.IntN(3))), at+time.Duration(dice.IntN(180))*time.Second))
		}
		want := Match(ps, ts)
		dice.Shuffle(len(ps), func(i, j int) { ps[i], ps[j] = ps[j], ps[i] })
		dice.Shuffle(len(ts), func(i, j int) { ts[i], ts[j] = ts[j], ts[i] })
		if got := Match(ps, ts); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		usedP, usedT := map[int64]bool{}, map[int64]bool{}
		for _, p := range want {
			if usedP[p.Payment] || usedT[p.Tender] {
				t.Fatalf("used twice: %v", want)
			}
			usedP[p.Payment], usedT[p.Tender] = true, true
		}
	}
}

func TestIsCard(t *testing.T) {
	for _, c := range []struct {
		t    retail.Tender
		want bool
	}{{retail.Tender{Type: "cash"}, false}, {retail.Tender{Type: "VISA"}, true}, {retail.Tender{Type: "Gift Card", Ref: "GC1"}, false}, {retail.Tender{Type: "Credit Card"}, true},
		{retail.Tender{Type: "terminal", Last4: "1111"}, true}, {retail.Tender{Type: "house account", Ref: "12"}, false}} {
		if IsCard(c.t) != c.want {
			t.Errorf("%+v: got %v", c.t, !c.want)
		}
	}
}
