package buffer

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// A PC dies, its disk is read with the hub's key, and what was on it goes on from another PC: every record once, whole.
func TestWhatADeadPCHeldGoesOnFromAnother(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	hub, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := options(dir)
	o.Recovery = hub.PublicKey().Bytes()
	b := open(t, o)
	fill(t, b, 1, 30)
	parts, large := draft(31), draft(32)
	parts.Body = make([]byte, 300_000)
	large.Body = bytes.Repeat([]byte("a very large record "), envelope.MaxRecord/20+1)
	_, _ = rand.Read(parts.Body)
	if err := b.Append(ctx, "till", "", []source.Draft{parts, large}); err != nil {
		t.Fatal(err)
	}
	var mine bytes.Buffer
	if err := b.Export(ctx, &mine); err != nil {
		t.Fatal(err)
	}
	disk := t.TempDir() // as it stood when the power went: the log is not in the file
	if err := os.CopyFS(disk, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(disk, "data.key")) // the operating system's keystore died with it

	var out bytes.Buffer
	n, err := Recover(ctx, disk, hub, &out)
	if err != nil || n != 32 {
		t.Fatalf("recovered %d records: %v", n, err)
	}
	if lines(mine.String())[31] != lines(out.String())[31] {
		t.Error("the large record is another in an export and in a recovery")
	}
	fresh := open(t, Options{Dir: t.TempDir(), Device: "dev-2", Clean: o.Clean})
	if n, err := fresh.Replay(ctx, &out); err != nil || n != 32 {
		t.Fatalf("replayed %d records: %v", n, err)
	}
	batch, err := fresh.Peek(ctx, envelope.Sales, 0, 100, 64<<20)
	if err != nil || len(batch) != 30+5+1 {
		t.Fatalf("%d envelopes, %v", len(batch), err)
	}
	var whole []byte
	for i, e := range batch[:30] {
		if d := draft(i + 1); !bytes.Equal(e.Body, d.Body) || e.Key != d.Key || e.Location != d.Location || !e.At.Equal(d.At) || e.Kind != d.Kind {
			t.Errorf("record %d is another: %+v", i+1, e.Key)
		}
	}
	for _, e := range batch[30:35] {
		whole = append(whole, e.Body...)
	}
	if !bytes.Equal(whole, parts.Body) || batch[35].Kind != decode.Stub {
		t.Error("the record in parts, or the large one, is another")
	}
}

func lines(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }

func TestRecoverNeedsTheRightKey(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	hub, _ := ecdh.X25519().GenerateKey(rand.Reader)
	other, _ := ecdh.X25519().GenerateKey(rand.Reader)
	b := open(t, options(dir))
	fill(t, b, 1, 1)
	if _, err := Recover(ctx, dir, hub, &bytes.Buffer{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("without a wrapped key: %v", err)
	}
	b.Close()
	for _, key := range []*ecdh.PrivateKey{other, hub} { // the hub's key was changed: the next start wraps for the new one
		o := options(dir)
		o.Recovery = key.PublicKey().Bytes()
		open(t, o).Close()
	}
	if _, err := Recover(ctx, dir, other, &bytes.Buffer{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("with another key: %v", err)
	}
	if n, err := Recover(ctx, dir, hub, &bytes.Buffer{}); n != 1 || err != nil {
		t.Errorf("with the key: %d, %v", n, err)
	}
}

func TestResendIsANewEpochOfEverything(t *testing.T) {
	ctx := context.Background()
	b := open(t, options(t.TempDir()))
	fill(t, b, 1, 20)
	old := b.State(envelope.Sales)
	b.SetAcked(envelope.Sales, old.Epoch, 20)
	if n, err := b.Resend(ctx, "a person asked for it"); n != 20 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if now := b.State(envelope.Sales); now.Epoch == old.Epoch || now.Waiting() != 21 {
		t.Errorf("%+v", now)
	}
}

func TestAReplayNamesTheLineThatIsBad(t *testing.T) {
	b := open(t, options(t.TempDir()))
	good := `{"stream":"sales","kind":"ticket.v1","key":"1","content_type":"application/json","at":"2026-03-01T10:00:00Z","body":"{}"}` + "\n"
	for bad, says := range map[string]string{good + "{": "line 2", `{"stream":"x"}`: "no stream x", good + `{"stream":"sales","base64":"?"}`: "line 2"} {
		if _, err := b.Replay(context.Background(), strings.NewReader(bad)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
