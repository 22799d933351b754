package buffer

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// spoil changes a row behind SQLite's back as far as its checks go.
func spoil(t *testing.T, b *Buffer, set string, seq int) {
	t.Helper()
	if _, err := b.write.Exec(`UPDATE sales SET `+set+` WHERE seq = ?`, seq); err != nil {
		t.Fatal(err)
	}
}

// A disk that gives back other bytes than it was given: the row is not sent, the rest goes on in a new epoch, and the sources read again.
func TestADamagedRowStopsNothing(t *testing.T) {
	for _, damage := range []string{`body = zeroblob(length(body))`, `location = 'S-2'`, `key = 'other'`, `sum = zeroblob(32)`, `at = at + 1`} {
		ctx := context.Background()
		b := open(t, options(t.TempDir()))
		fill(t, b, 1, 10)
		b.SetAcked(envelope.Sales, b.State(envelope.Sales).Epoch, 2)
		spoil(t, b, damage, 5)
		if batch, err := b.Peek(ctx, envelope.Sales, 2, 100, 1<<20); err != nil || len(batch) != 2 {
			t.Errorf("%s: %d envelopes before the damaged one, %v", damage, len(batch), err)
		}
		if batch, err := b.Peek(ctx, envelope.Sales, 4, 100, 1<<20); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: the damaged row gives %d envelopes, %v", damage, len(batch), err)
		}
		if err := b.Fork(ctx, envelope.Sales, "a row is damaged"); err != nil {
			t.Fatal(err)
		}
		batch, err := b.Peek(ctx, envelope.Sales, 0, 100, 1<<20)
		if err != nil || len(batch) < 10 {
			t.Fatalf("%s: %d envelopes go on, %v", damage, len(batch), err)
		}
		for _, e := range batch[1:] {
			if e.Key == "5" || e.Location != "S-1" {
				t.Errorf("%s: the damaged row travels: %+v", damage, e)
			}
		}
		var end envelope.End
		if err := json.Unmarshal(batch[0].Body, &end); err != nil || end.Lost != 1 {
			t.Errorf("%s: the epoch's end says %+v, %v", damage, end, err)
		}
		if err := b.Append(ctx, "till", "11", []source.Draft{draft(11)}); err != nil { // read before it was told to begin again
			t.Fatal(err)
		}
		if c, err := b.Cursor(ctx, "till"); err != nil || c != "" {
			t.Errorf("%s: the source goes on at %q, %v", damage, c, err)
		}
		fill(t, b, 1, 11)
		if c, _ := b.Cursor(ctx, "till"); c != "11" {
			t.Errorf("%s: the source stands at %q", damage, c)
		}
		if _, err := b.Verify(ctx); err != nil {
			t.Errorf("%s: %v", damage, err)
		}
	}
}

// A damaged row that the hub has is no loss. The sources read again all the same: the hub may be put back.
func TestADamagedRowThatTheHubHas(t *testing.T) {
	ctx := context.Background()
	b := open(t, options(t.TempDir()))
	fill(t, b, 1, 10)
	b.SetAcked(envelope.Sales, b.State(envelope.Sales).Epoch, 8)
	spoil(t, b, `body = zeroblob(length(body))`, 5)
	if err := b.Fork(ctx, envelope.Sales, "cloned"); err != nil {
		t.Fatal(err)
	}
	if c, _ := b.Cursor(ctx, "till"); c != "" {
		t.Errorf("the source stands at %q", c)
	}
	var end envelope.End
	batch, err := b.Peek(ctx, envelope.Sales, 0, 1, 1<<20)
	if err == nil {
		err = json.Unmarshal(batch[0].Body, &end)
	}
	if err != nil || end.Lost != 0 {
		t.Errorf("the epoch's end says %+v, %v", end, err)
	}
	if st := b.State(envelope.Sales); st.Last != 10 { // the end of the old epoch and nine rows
		t.Errorf("%+v", st)
	}
}

// A torso of a large record does not travel; the record comes again whole.
func TestATorsoStays(t *testing.T) {
	ctx := context.Background()
	b := open(t, options(t.TempDir()))
	fill(t, b, 1, 2)
	large := draft(3)
	var text strings.Builder
	for i := range 60_000 {
		text.WriteByte(byte('a' + i*i%7919%26))
		text.WriteByte(byte(i * 2654435761 >> 13))
		text.WriteByte(byte(i * 40503 >> 5))
	}
	large.Body = []byte(text.String())
	if err := b.Append(ctx, "till", "3", []source.Draft{large}); err != nil {
		t.Fatal(err)
	}
	fill(t, b, 4, 5)
	last := b.State(envelope.Sales).Last
	if last < 6 {
		t.Fatalf("the record does not travel in parts: %d rows", last)
	}
	spoil(t, b, `body = zeroblob(length(body))`, 4)
	if err := b.Fork(ctx, envelope.Sales, "a row is damaged"); err != nil {
		t.Fatal(err)
	}
	batch, err := b.Peek(ctx, envelope.Sales, 0, 100, 8<<20)
	if err != nil || len(batch) != 5 {
		t.Fatalf("%d envelopes go on, %v", len(batch), err)
	}
	for _, e := range batch {
		if e.Parts > 1 {
			t.Errorf("a part travels alone: %d of %d", e.Part, e.Parts)
		}
	}
	if c, _ := b.Cursor(ctx, "till"); c != "" {
		t.Errorf("the source goes on at %q", c)
	}
}

// A stream whose count is wrong or gone is not continued: its rows are salvaged into a new epoch.
func TestAStreamThatDoesNotFitItsRows(t *testing.T) {
	for _, damage := range []string{`DELETE FROM stream WHERE name = 'sales'`, `UPDATE stream SET last = 4, sum = (SELECT sum FROM sales WHERE seq = 4) WHERE name = 'sales'`,
		`UPDATE stream SET acked = 99 WHERE name = 'sales'`, `UPDATE stream SET trimmed = 5, acked = 2 WHERE name = 'sales'`} {
		dir := t.TempDir()
		b := open(t, options(dir))
		fill(t, b, 1, 10)
		if _, err := b.write.Exec(damage); err != nil {
			t.Fatal(err)
		}
		b.Close()
		b = open(t, options(dir))
		if b.Salvage == nil {
			t.Errorf("%s: went unnoticed", damage)
		}
		fill(t, b, 11, 11)
		if n, err := b.Verify(context.Background()); err != nil || n != 14 { // three epochs' ends and eleven records
			t.Errorf("%s: %d rows, %v", damage, n, err)
		}
	}
}

// A flipped bit in the schema: SQLite's own check passes, and nothing could be appended any more.
func TestAColumnThatLostItsName(t *testing.T) {
	dir := t.TempDir()
	b := open(t, options(dir))
	fill(t, b, 1, 3)
	if _, err := b.write.Exec(`ALTER TABLE state RENAME COLUMN content_type TO kontent_type`); err != nil {
		t.Fatal(err)
	}
	b.Close()
	b = open(t, options(dir))
	if b.Salvage == nil || b.Salvage.Saved[envelope.Sales] != 3 {
		t.Fatalf("%+v", b.Salvage)
	}
	fill(t, b, 4, 4)
}

// A stop while the file is being opened says nothing about the file: it is not set aside.
func TestAStopWhileOpeningIsNoDamage(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: dir, Device: "pc", Clean: func(d source.Draft) source.Draft { return d }}
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), "s", "1", []source.Draft{{Stream: envelope.Sales, Kind: "ticket.v1", Key: "k", ContentType: "application/json", Body: []byte(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if b, err := Open(ctx, o); err == nil {
		b.Close()
		t.Fatal("it opened")
	}
	if aside, _ := filepath.Glob(filepath.Join(dir, "damaged-*")); len(aside) != 0 {
		t.Errorf("set aside: %v", aside)
	}
	if b, err = Open(t.Context(), o); err != nil || b.Salvage != nil || b.State(envelope.Sales).Last != 1 {
		t.Fatalf("afterwards: %v %+v", err, b)
	}
	b.Close()
}
