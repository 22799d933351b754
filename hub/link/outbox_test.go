package link

import (
	"context"
	"testing"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

func TestOutboxKeepsTheAnswerAndTheNewestAck(t *testing.T) {
	o := newOutbox()
	word := func(d retail.DeviceID, nonce string, seq uint64) {
		o.put(envelope.Head{Device: d, Stream: envelope.Sales, Nonce: nonce, Seq: seq})
	}
	word("a", "", 1)
	word("b", "", 10)
	word("a", "", 2) // says all that 1 said
	word("a", "n", 3)
	word("a", "", 4)
	word("a", "", 5)
	var got []uint64
	for range 3 {
		h, ok := o.next(t.Context())
		if !ok {
			t.Fatal("nothing more")
		}
		got = append(got, h.Seq)
	}
	if want := [3]uint64{3, 10, 5}; [3]uint64(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
	word("a", "", 6)
	o.clear()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if h, ok := o.next(ctx); ok {
		t.Errorf("%+v survived its connection", h)
	}
}

func TestWhatCannotBeALinkIsRefused(t *testing.T) {
	for _, o := range []Options{{}, {URL: "localhost:1883", Hub: "h"}, {URL: "http://x:1", Hub: "h"}, {URL: "mqtt://x:1"}, {URL: "mqtt://x:1", Hub: "h", QoS: 2}} {
		if _, err := New(o, nil); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
