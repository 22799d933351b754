package portico

import (
	"fmt"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/money"
	fake "github.com/tillpost/tillpost/test/fake/portico"
)

// A tip that is entered and a sale that is voided days later are told, before their batch closes and after.
func TestTipsAndVoidsDaysLater(t *testing.T) {
	for _, days := range []int{1, 6, 34} {
		t.Run(fmt.Sprint(days), func(t *testing.T) {
			w := newWorld(t, fake.Options{})
			tip, void := w.pay("1", 2000), w.pay("1", 3000)
			if err := w.read(); err != nil {
				t.Fatal(err)
			}
			for range days {
				w.later(24 * time.Hour)
			}
			w.g.Edit(tip, 2300, 300)
			w.g.Void(void)
			for _, when := range []string{"before", "after"} {
				w.later(3 * time.Hour)
				p, v := w.payments[fmt.Sprint(tip)], w.payments[fmt.Sprint(void)]
				if p.Amount != money.Of(2300, "USD") || p.Tip != money.Of(300, "USD") || v.State.Moves() {
					t.Errorf("%s its batch closes: tip %v and %v, void %s", when, p.Amount, p.Tip, v.State)
				}
				w.g.Close("1", 0)
			}
		})
	}
}
