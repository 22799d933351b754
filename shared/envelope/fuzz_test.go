package envelope

import (
	"bytes"
	"testing"
	"time"
)

func chain(n int, body []byte, key string, at int64) Batch {
	var b Batch
	var prev Sum
	for i := range n {
		e := Envelope{Device: "d1", Stream: Sales, Pos: Position{Epoch: Epoch{7}, Seq: uint64(i) + 5}, Location: "S 1", Kind: "ticket.v1", Key: key,
			ContentType: "application/json", At: time.UnixMicro(at), Body: body}.Seal(prev)
		prev = e.Sum
		b = append(b, e)
	}
	return b
}

// Encode → Decode is the same batch, byte for byte, whatever the fields hold.
func FuzzRoundTrip(f *testing.F) {
	f.Add(1, []byte(`{"a":"<&>"}`), "k", int64(0))
	f.Add(9, []byte{0, 255}, "é|\n", int64(-1))
	f.Add(3, bytes.Repeat([]byte("x"), 70_000), "", int64(1<<50))
	c := NewCodec()
	f.Fuzz(func(t *testing.T, n int, body []byte, key string, at int64) {
		if n < 1 || n > 40 || at > 1<<52 || at < -1<<52 || len(body)*n > 256<<10 {
			return
		}
		b := chain(n, body, key, at)
		got, err := c.Decode(c.Encode(b))
		if err != nil || len(got) != len(b) {
			t.Fatalf("%d of %d came back: %v", len(got), len(b), err)
		}
		for i := range b {
			if got[i].Sum != b[i].Sum || got[i].Prev != b[i].Prev || !bytes.Equal(got[i].Body, b[i].Body) || got[i].Key != b[i].Key || !got[i].At.Equal(b[i].At) || got[i].Pos != b[i].Pos {
				t.Fatalf("%d: got %+v, want %+v", i, got[i], b[i])
			}
			if err := got[i].Verify(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Whatever arrives, Decode answers: with an error, or with a batch whose own chain holds. It never panics and never takes memory without end.
func FuzzDecode(f *testing.F) {
	c := NewCodec()
	good := c.Encode(chain(3, []byte(`{"id":"1"}`), "k", 1))
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(batchMagic))
	f.Add(append([]byte(batchMagic), bytes.Repeat([]byte{255}, 100)...))
	f.Fuzz(func(t *testing.T, payload []byte) {
		b, err := c.Decode(payload)
		if err != nil {
			return
		}
		prev := b[0].Prev
		for i := range b {
			if b[i].Prev != prev || b[i].Verify() != nil || b[i].Pos.Seq != b[0].Pos.Seq+uint64(i) {
				t.Fatalf("%d does not continue the chain: %+v", i, b[i])
			}
			prev = b[i].Sum
		}
	})
}

// Every field is part of the checksum: changing one changes it.
func TestEveryFieldIsSummed(t *testing.T) {
	e := chain(1, []byte("body"), "key", 5)[0]
	for name, change := range map[string]func(*Envelope){
		"device": func(e *Envelope) { e.Device = "d2" }, "stream": func(e *Envelope) { e.Stream = State }, "epoch": func(e *Envelope) { e.Pos.Epoch[3]++ },
		"seq": func(e *Envelope) { e.Pos.Seq++ }, "location": func(e *Envelope) { e.Location = "S2" }, "kind": func(e *Envelope) { e.Kind = "x" },
		"key": func(e *Envelope) { e.Key = "x" }, "type": func(e *Envelope) { e.ContentType = "x" }, "at": func(e *Envelope) { e.At = e.At.Add(time.Microsecond) },
		"part": func(e *Envelope) { e.Part++ }, "parts": func(e *Envelope) { e.Parts++ }, "body": func(e *Envelope) { e.Body = []byte("bodY") },
		"prev": func(e *Envelope) { e.Prev[0]++ }, "moved": func(e *Envelope) { e.Key, e.ContentType = e.Key+"a", e.ContentType[1:] },
	} {
		x := e
		change(&x)
		if x.Verify() == nil {
			t.Errorf("%s is not in the checksum", name)
		}
	}
}
