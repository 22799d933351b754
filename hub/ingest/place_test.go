package ingest

import (
	"testing"

	"github.com/tillpost/tillpost/shared/envelope"
)

// chainOf seals n envelopes of one lane from sequence 1.
func chainOf(n int, e envelope.Epoch, body string) envelope.Batch {
	var b envelope.Batch
	var prev envelope.Sum
	for i := range n {
		x := envelope.Envelope{Device: "d1", Stream: envelope.Sales, Pos: envelope.Position{Epoch: e, Seq: uint64(i + 1)}, Kind: "ticket.v1", Key: body, Body: []byte(body)}.Seal(prev)
		prev = x.Sum
		b = append(b, x)
	}
	return b
}

func TestPlace(t *testing.T) {
	e := envelope.NewEpoch()
	b, other := chainOf(6, e, "a"), chainOf(6, e, "b")
	at := func(seq int) Head { return Head{Lane: 1, Seq: uint64(seq), Sum: b[seq-1].Sum} }
	sum := func(x envelope.Batch, seq int) *envelope.Sum { return &x[seq-1].Sum }
	for _, c := range []struct {
		name string
		head Head
		b    envelope.Batch
		held *envelope.Sum
		want Placing
	}{
		{"the first ever", Head{}, b[:2], nil, Placing{Verdict: envelope.OK}},
		{"the next", at(2), b[2:4], nil, Placing{Verdict: envelope.OK}},
		{"a gap", at(2), b[3:5], nil, Placing{Verdict: envelope.Resend}},
		{"the first ever missing", Head{}, b[1:2], nil, Placing{Verdict: envelope.Resend}},
		{"another chain's next", at(2), other[2:4], nil, Placing{Verdict: envelope.Resend}},
		{"known and more", at(3), b[1:5], nil, Placing{Verdict: envelope.OK, Skip: 2}},
		{"another content and more", at(3), other[1:5], nil, Placing{Verdict: envelope.Fork}},
		{"known to its end", at(4), b[1:4], nil, Placing{Verdict: envelope.OK, Skip: 3}},
		{"another content at the head", at(4), other[1:4], nil, Placing{Verdict: envelope.Fork}},
		{"long known, ask", at(6), b[1:3], nil, Placing{Ask: 3}},
		{"long known", at(6), b[1:3], sum(b, 3), Placing{Verdict: envelope.OK, Skip: 2}},
		{"another content long ago", at(6), b[1:3], sum(other, 3), Placing{Verdict: envelope.Fork}},
		{"stopped", Head{Lane: 1, Seq: 2, Sum: b[1].Sum, Stop: "why"}, b[2:3], nil, Placing{Verdict: envelope.Stopped}},
	} {
		got := Place(c.head, c.b, c.held)
		if got.Verdict != c.want.Verdict || got.Skip != c.want.Skip || got.Ask != c.want.Ask {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
		if got.Verdict != envelope.OK && got.Ask == 0 && got.Why == "" {
			t.Errorf("%s: no reason", c.name)
		}
	}
}

func TestAnswer(t *testing.T) {
	e := envelope.NewEpoch()
	b := chainOf(4, e, "a")
	var strange envelope.Sum
	strange[0] = 9
	head := Head{Lane: 1, Seq: 3, Sum: b[2].Sum}
	hello := func(last int, sum envelope.Sum) envelope.Hello {
		return envelope.Hello{Nonce: "n", Device: "d1", Stream: envelope.Sales, Epoch: e, Last: uint64(last), LastSum: sum}
	}
	for _, c := range []struct {
		name  string
		head  Head
		hello envelope.Hello
		held  *envelope.Sum
		want  envelope.Verdict
	}{
		{"a new buffer", Head{}, hello(0, envelope.Sum{}), nil, envelope.OK},
		{"it has more", head, hello(4, b[3].Sum), nil, envelope.OK},
		{"it ends where the hub ends", head, hello(3, b[2].Sum), &b[2].Sum, envelope.OK},
		{"the same place, another content", head, hello(3, strange), &b[2].Sum, envelope.Fork},
		{"an older copy of the disk", head, hello(2, b[1].Sum), &b[1].Sum, envelope.Fork},
		{"an empty disk under a known epoch", head, hello(0, envelope.Sum{}), nil, envelope.Fork},
		{"stopped", Head{Lane: 1, Seq: 3, Sum: b[2].Sum, Stop: "why"}, hello(4, b[3].Sum), nil, envelope.Stopped},
	} {
		a := Answer("h1", c.head, c.hello, c.held)
		if a.Verdict != c.want || a.Nonce != "n" || a.Seq != c.head.Seq || a.Hub != "h1" {
			t.Errorf("%s: got %+v, want %s", c.name, a, c.want)
		}
	}
}
