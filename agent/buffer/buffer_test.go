package buffer

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/keystore"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

func options(dir string) Options {
	return Options{Dir: dir, Device: "dev-1", Clean: func(d source.Draft) source.Draft { return d }}
}

func open(t testing.TB, o Options) *Buffer {
	t.Helper()
	b, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func draft(i int) source.Draft {
	return source.Draft{Stream: envelope.Sales, Location: "S-1", Kind: decode.Ticket, Key: fmt.Sprint(i), ContentType: "application/json",
		At: time.Date(2026, 3, 1, 10, 0, i, 0, time.UTC), Body: bytes.Repeat([]byte{byte(i)}, 2000)}
}

func fill(t testing.TB, b *Buffer, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		if err := b.Append(context.Background(), "till", source.Cursor(fmt.Sprint(i)), []source.Draft{draft(i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAppendedRowsAreThereAfterAReopenWithTheirCursor(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	b := open(t, options(dir))
	fill(t, b, 1, 20)
	b.Close()
	b = open(t, options(dir))
	if c, err := b.Cursor(ctx, "till"); err != nil || c != "20" {
		t.Fatalf("cursor %q, %v", c, err)
	}
	batch, err := b.Peek(ctx, envelope.Sales, 5, 100, 1<<20)
	if err != nil || len(batch) != 15 || batch[0].Pos.Seq != 6 {
		t.Fatalf("%d envelopes, %v", len(batch), err)
	}
	c := envelope.NewCodec()
	got, err := c.Decode(c.Encode(batch))
	if err != nil || !bytes.Equal(got[14].Body, draft(20).Body) {
		t.Fatalf("the batch does not travel: %v", err)
	}
	if n, err := b.Verify(ctx); n != 20 || err != nil {
		t.Fatalf("verified %d rows: %v", n, err)
	}
}

// What the hub has does not wait, also for whoever looks when the service stands still: an uninstall would keep it, and `leave` write it out.
func TestAHeadIsKnownAfterAClose(t *testing.T) {
	dir := t.TempDir()
	b := open(t, options(dir))
	fill(t, b, 1, 3)
	b.SetAcked(envelope.Sales, b.State(envelope.Sales).Epoch, 3)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, options(dir))
	if st := b.State(envelope.Sales); st.Acked != 3 || st.Last != 3 {
		t.Errorf("%+v", st)
	}
	if n, err := b.Verify(t.Context()); n != 3 || err != nil {
		t.Errorf("verified %d rows: %v", n, err)
	}
}

func TestConcurrentAppendsKeepOneChain(t *testing.T) {
	b := open(t, options(t.TempDir()))
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 25 {
				if err := b.Append(context.Background(), fmt.Sprint(w), "", []source.Draft{draft(i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n, err := b.Verify(context.Background()); n != 200 || err != nil {
		t.Fatalf("verified %d rows: %v", n, err)
	}
}

func TestForkSealsEveryRowAgainInANewEpoch(t *testing.T) {
	ctx := context.Background()
	b := open(t, options(t.TempDir()))
	fill(t, b, 1, 450)
	old := b.State(envelope.Sales)
	b.SetAcked(envelope.Sales, old.Epoch, 100)
	if err := b.Fork(ctx, envelope.Sales, "a clone"); err != nil {
		t.Fatal(err)
	}
	now := b.State(envelope.Sales)
	if now.Epoch == old.Epoch || now.Last != 451 || now.Acked != 0 {
		t.Fatalf("after the fork: %+v", now)
	}
	batch, err := b.Peek(ctx, envelope.Sales, 0, 1000, 8<<20)
	if err != nil || batch[0].Kind != decode.EpochEnd || batch[0].Key != old.Epoch.String() {
		t.Fatalf("first row %+v, %v", batch[0].Kind, err)
	}
	for i, e := range batch[1:] {
		if e.Key != fmt.Sprint(i+1) {
			t.Fatalf("row %d is %s", i+1, e.Key)
		}
	}
	fill(t, b, 451, 460)
	if n, err := b.Verify(ctx); n != 461 || err != nil {
		t.Fatalf("verified %d rows: %v", n, err)
	}
}

func TestADamagedFileIsSalvagedAndTheServiceStarts(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	b := open(t, options(dir))
	fill(t, b, 1, 300)
	if err := b.SetHub(ctx, "hub-1"); err != nil {
		t.Fatal(err)
	}
	old := b.State(envelope.Sales)
	b.Close()
	path := filepath.Join(dir, "buffer.db")
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * 4096 { // three pages in the middle
		body[len(body)/2/4096*4096+i] = 0xEE
	}
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	b = open(t, options(dir))
	if b.Salvage == nil {
		t.Fatal("the damage went unseen")
	}
	saved, lost := b.Salvage.Saved[envelope.Sales], b.Salvage.Lost[envelope.Sales]
	if saved < 250 || saved+lost != 300 {
		t.Fatalf("saved %d, lost %d of 300: %s", saved, lost, b.Salvage.Text())
	}
	if st := b.State(envelope.Sales); st.Epoch == old.Epoch || int(st.Last) != saved+1 {
		t.Fatalf("after the salvage: %+v", st)
	}
	if h, err := b.Hub(ctx); h != "hub-1" || err != nil {
		t.Fatalf("the hub's id is %q, %v", h, err)
	}
	fill(t, b, 301, 310)
	if n, err := b.Verify(ctx); err != nil || n != saved+1+10+2 { // and an end row for each of the other streams
		t.Fatalf("verified %d rows: %v", n, err)
	}
}

func TestAFileOfRubbishStillStarts(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "buffer.db"), bytes.Repeat([]byte("rubbish "), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(t, options(dir))
	if b.Salvage == nil {
		t.Fatal("the damage went unseen")
	}
	fill(t, b, 1, 3)
}

func TestATruncatedTailIsNotContinued(t *testing.T) {
	dir := t.TempDir()
	b := open(t, options(dir))
	fill(t, b, 1, 10)
	if _, err := b.write.Exec(`DELETE FROM sales WHERE seq = 10`); err != nil {
		t.Fatal(err)
	}
	epoch := b.State(envelope.Sales).Epoch
	b.Close()
	b = open(t, options(dir))
	if b.Salvage == nil || b.State(envelope.Sales).Epoch == epoch || b.Salvage.Saved[envelope.Sales] != 9 || b.Salvage.Lost[envelope.Sales] != 1 {
		t.Fatalf("salvage %+v", b.Salvage)
	}
}

func TestTrimDeletesOnlyWhatIsAckedAndOld(t *testing.T) {
	ctx := context.Background()
	o := options(t.TempDir())
	o.Now = func() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }
	b := open(t, o)
	fill(t, b, 1, 20)
	b.SetAcked(envelope.Sales, b.State(envelope.Sales).Epoch, 12)
	if n, err := b.Trim(ctx, KeepAcked); n != 12 || err != nil {
		t.Fatalf("trimmed %d, %v", n, err)
	}
	st := b.State(envelope.Sales)
	batch, err := b.Peek(ctx, envelope.Sales, 12, 100, 1<<20)
	if st.Oldest != 13 || len(batch) != 8 || err != nil {
		t.Fatalf("%+v, %d rows, %v", st, len(batch), err)
	}
	if n, err := b.Verify(ctx); n != 8 || err != nil {
		t.Fatalf("the chain from the trimmed row on: %d rows, %v", n, err)
	}
}

func TestAFullDiskRefusesAndLosesNothing(t *testing.T) {
	ctx, now := context.Background(), time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	o := options(t.TempDir())
	o.Now = func() time.Time { return now }
	b := open(t, o)
	fill(t, b, 1, 10)
	var pages int
	if err := b.write.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := b.write.Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+3)); err != nil {
		t.Fatal(err)
	}
	var err error
	n := 10
	for err == nil {
		n++
		err = b.Append(ctx, "till", "x", []source.Draft{draft(n)})
	}
	if !fault.Retryable(err) {
		t.Fatalf("a full disk said %v", err)
	}
	if got, err := b.Verify(ctx); got != n-1 || err != nil {
		t.Fatalf("%d rows of %d, %v", got, n-1, err)
	}
	if _, err := os.Stat(b.reserve); !os.IsNotExist(err) {
		t.Errorf("the reserve still stands: %v", err)
	}
	if _, err := b.write.Exec(`PRAGMA max_page_count = 100000`); err != nil {
		t.Fatal(err)
	}
	// The room that the reserve gave back is for acks and deletes, not for sales.
	if err := b.Append(ctx, "till", "x", []source.Draft{draft(n)}); !fault.Retryable(err) {
		t.Errorf("a sale took the room that acks need: %v", err)
	}
	now = now.Add(lookAgain)
	fill(t, b, n, n)
	if st, err := os.Stat(b.reserve); err != nil || st.Size() != reserveSize {
		t.Errorf("the reserve is not back: %v", err)
	}
}

func TestALargeRecordTravelsInParts(t *testing.T) {
	ctx := context.Background()
	b := open(t, options(t.TempDir()))
	d := draft(1)
	d.Body = make([]byte, 300_000)
	_, _ = rand.Read(d.Body)
	if err := b.Append(ctx, "till", "", []source.Draft{d}); err != nil {
		t.Fatal(err)
	}
	batch, err := b.Peek(ctx, envelope.Sales, 0, 100, 8<<20)
	if err != nil || len(batch) != 5 {
		t.Fatalf("%d parts, %v", len(batch), err)
	}
	var whole []byte
	for i, e := range batch {
		if e.Part != uint16(i+1) || e.Parts != 5 {
			t.Fatalf("part %d of %d at %d", e.Part, e.Parts, i)
		}
		whole = append(whole, e.Body...)
	}
	if !bytes.Equal(whole, d.Body) {
		t.Fatal("the parts do not make the whole")
	}
}

// TestARecordWithAnEndlessNameTravels: a till may send anything as a ticket's number or location. Whatever it is, the record fits into a payload,
// and nothing behind it waits for ever.
func TestARecordWithAnEndlessNameTravels(t *testing.T) {
	b := open(t, options(t.TempDir()))
	for i, size := range []int{100, maxName, maxName + 1, 300_000, 300_000} {
		d := draft(i)
		raw := make([]byte, size)
		_, _ = rand.Read(raw)
		name := base64.StdEncoding.EncodeToString(raw)[:size]
		d.Key, d.Location = name, retail.LocationCode(name)
		if err := b.Append(t.Context(), "till", "", []source.Draft{d}); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := b.Peek(t.Context(), envelope.Sales, 0, 10, 1<<30)
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, e := range rows {
		if n := len(envelope.NewCodec().Encode(envelope.Batch{e})); n > envelope.MaxPayload {
			t.Errorf("record %d takes %d bytes on the line, and %d are the most", i+1, n, envelope.MaxPayload)
		}
		if whole := len(e.Key) == []int{100, maxName}[min(i, 1)]; whole != (i < 2) || string(e.Location) != e.Key {
			t.Errorf("record %d has a key of %d bytes and a location of %d", i+1, len(e.Key), len(e.Location))
		}
	}
	if rows[3].Key == rows[4].Key {
		t.Error("two numbers became one")
	}
}

func TestTheHubCanOpenADeadPCsDisk(t *testing.T) {
	dir := t.TempDir()
	hub, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := options(dir)
	o.Recovery = hub.PublicKey().Bytes()
	open(t, o)
	kept, err := os.ReadFile(filepath.Join(dir, "data.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, _ := keystore.Unprotect(kept)
	file, err := os.ReadFile(filepath.Join(dir, "recovery.key"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Unwrap(file, hub)
	if err != nil || !bytes.Equal(got, key) {
		t.Fatalf("unwrapped %x, %v", got, err)
	}
}

func TestBodiesAreSealedOnDisk(t *testing.T) {
	dir := t.TempDir()
	b := open(t, options(dir))
	d := draft(1)
	d.Body = []byte("customer Jane Doe bought a secret thing")
	if err := b.Append(context.Background(), "till", "", []source.Draft{d}); err != nil {
		t.Fatal(err)
	}
	b.Close()
	for _, name := range []string{"buffer.db", "buffer.db-wal"} {
		body, _ := os.ReadFile(filepath.Join(dir, name))
		if bytes.Contains(body, []byte("Jane Doe")) {
			t.Fatalf("%s holds the plain body", name)
		}
	}
}

func BenchmarkAppendOne(b *testing.B) {
	buf := open(b, options(b.TempDir()))
	d := []source.Draft{draft(1)}
	for b.Loop() {
		if err := buf.Append(context.Background(), "till", "", d); err != nil {
			b.Fatal(err)
		}
	}
}
