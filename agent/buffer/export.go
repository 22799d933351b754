package buffer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Row is one line of an export: a whole record, also one that travels in parts or that stays here because it is too large to travel.
type Row struct {
	Stream      envelope.Stream     `json:"stream"`
	Position    envelope.Position   `json:"position"` // of its last part
	Location    retail.LocationCode `json:"location,omitempty"`
	Kind        envelope.Kind       `json:"kind"`
	Key         string              `json:"key,omitempty"`
	ContentType string              `json:"content_type"`
	At          time.Time           `json:"at"`
	Acked       bool                `json:"acked"`
	Body        string              `json:"body,omitempty"`
	Base64      string              `json:"base64,omitempty"` // instead of Body, when that is no text
}

// body is the record's bytes.
func (r Row) body() ([]byte, error) {
	if r.Base64 != "" {
		return base64.StdEncoding.DecodeString(r.Base64)
	}
	return []byte(r.Body), nil
}

// Export writes every record that is held as one JSON object a line.
func (b *Buffer) Export(ctx context.Context, w io.Writer) error {
	x := b.exporter(w)
	return b.walk(ctx, func(e *envelope.Envelope, st forward.State) error { return x.see(*e, e.Pos.Seq <= st.Acked) })
}

// exporter puts parts together and writes records.
type exporter struct {
	b    *Buffer
	out  *json.Encoder
	rows int
	part envelope.Envelope // the record that is not complete yet
}

func (b *Buffer) exporter(w io.Writer) *exporter { return &exporter{b: b, out: json.NewEncoder(w)} }

func (x *exporter) see(e envelope.Envelope, acked bool) error {
	if e.Parts > 1 {
		if e.Part == 1 {
			x.part = e
			x.part.Body = append([]byte(nil), e.Body...)
		} else if e.Part == x.part.Part+1 && e.Key == x.part.Key && e.Stream == x.part.Stream {
			x.part.Part, x.part.Pos, x.part.Body = e.Part, e.Pos, append(x.part.Body, e.Body...)
		} else {
			x.part = envelope.Envelope{}
			return nil // a part whose beginning is gone says nothing to anybody
		}
		if e.Part < e.Parts {
			return nil
		}
		e = x.part
		x.part = envelope.Envelope{}
	}
	if e.Kind == decode.Stub {
		x.b.large(&e)
	}
	r := Row{Stream: e.Stream, Position: e.Pos, Location: e.Location, Kind: e.Kind, Key: e.Key, ContentType: e.ContentType, At: e.At, Acked: acked}
	if utf8.Valid(e.Body) {
		r.Body = string(e.Body)
	} else {
		r.Base64 = base64.StdEncoding.EncodeToString(e.Body)
	}
	x.rows++
	return x.out.Encode(r)
}

// large puts a record that was too large to travel in the place of its stub, if its file is still there.
func (b *Buffer) large(e *envelope.Envelope) {
	var s stub
	if json.Unmarshal(e.Body, &s) != nil || filepath.Base(s.File) != s.File {
		return
	}
	sealed, err := os.ReadFile(filepath.Join(b.opt.Dir, s.File))
	if err != nil {
		return
	}
	if body, err := b.box.open(sealed, []byte(s.File)); err == nil {
		e.Kind, e.Key, e.ContentType, e.Body = s.Kind, s.Key, s.ContentType, body
	}
}

// Replay takes an export in as if its records had just been captured, and returns how many it took: what was saved from a dead PC goes on
// from here. The hub knows by identity what it has. What an export holds of the dead PC's own state and epochs is passed by. Code invalid
// names the line that cannot be read; what stands before it is taken.
func (b *Buffer) Replay(ctx context.Context, r io.Reader) (n int, err error) {
	var ds []source.Draft
	size := 0
	flush := func() error {
		err := b.Append(ctx, "replay", "", ds)
		if err == nil {
			n += len(ds)
		}
		ds, size = nil, 0
		return err
	}
	d := json.NewDecoder(r)
	for line := 1; ; line++ {
		var row Row
		err := d.Decode(&row)
		if err == io.EOF {
			break
		}
		var body []byte
		if err == nil {
			body, err = row.body()
		}
		if err == nil && b.streams[row.Stream] == nil {
			err = fault.Msg(fault.Invalid, "stream", "there is no stream "+string(row.Stream))
		}
		if err != nil {
			return n, fault.New(fault.Invalid, "replay: line "+strconv.Itoa(line), err)
		}
		if row.Kind == decode.EpochEnd || row.Kind == decode.Health || row.Kind == decode.Stub {
			continue
		}
		ds = append(ds, source.Draft{Stream: row.Stream, Location: row.Location, Kind: row.Kind, Key: row.Key, ContentType: row.ContentType, At: row.At, Body: body})
		if size += len(body); len(ds) == 200 || size > 4<<20 {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	if len(ds) == 0 {
		return n, nil
	}
	return n, flush()
}

// Resend makes every record that is held travel again, in new epochs: for a hub that lost what it had confirmed and does not ask for it.
func (b *Buffer) Resend(ctx context.Context, why string) (n int, err error) {
	for _, s := range envelope.Streams {
		st := b.State(s)
		if st.Oldest == 0 {
			continue
		}
		if err := b.Fork(ctx, s, why); err != nil {
			return n, err
		}
		n += int(st.Last - st.Oldest + 1)
	}
	return n, nil
}
