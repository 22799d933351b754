package match

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkMatch is a busy day of one store: two thousand payments, tenders of four days.
func BenchmarkMatch(b *testing.B) {
	var ps []Payment
	var ts []Tender
	for i := range int64(8000) {
		at := time.Duration(i) * 40 * time.Second
		ts = append(ts, paid(i+1, 500+i%700*13, at, func(t *Tender) { t.Last4 = fmt.Sprintf("%04d", i%977) }))
		if i >= 4000 && i < 6000 {
			p := pay(1, 500+i%700*13, at+20*time.Second, func(p *Payment) { p.Last4 = fmt.Sprintf("%04d", i%977) })
			p.ID, p.Key.ID = i, fmt.Sprint(1193000000+i)
			ps = append(ps, p)
		}
	}
	for b.Loop() {
		if n := len(Match(ps, ts)); n != len(ps) {
			b.Fatalf("%d of %d matched", n, len(ps))
		}
	}
}
