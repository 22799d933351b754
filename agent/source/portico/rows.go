package portico

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/portico"
	"github.com/tillpost/tillpost/shared/retail"
)

// told is what one or two reports say of each payment, in their order.
type told struct {
	ids  []string
	cuts map[string][]string
	rows map[string]portico.Row
	from map[string]string // the terminal, where only the report's header names it
}

// gather puts reports of one window together by payment.
func gather(reps ...portico.Report) told {
	t := told{cuts: map[string][]string{}, rows: map[string]portico.Row{}, from: map[string]string{}}
	for _, rep := range reps {
		for _, r := range rep.Rows {
			id := r.ID()
			if !r.Financial() || id == "" {
				continue
			}
			if _, ok := t.rows[id]; !ok {
				t.ids = append(t.ids, id)
				t.rows[id], t.from[id] = r, rep.Header("DeviceId")
			}
			t.cuts[id] = append(t.cuts[id], string(rep.Cut(r)))
		}
	}
	return t
}

// items turns what was told into items, leaving out what was told before. only, when given, picks the payments.
func (s *Source) items(t told, stream envelope.Stream, only func(id string) bool) (out []item, err error) {
	asked := s.asked()
	for _, id := range t.ids {
		if only != nil && !only(id) {
			continue
		}
		row := t.rows[id]
		device := cmp.Or(row.Value("DeviceId"), row.Value("ProcessedDeviceId"), t.from[id])
		rec := portico.Record{Location: s.o.Location, Till: s.o.Tills[device], Currency: s.o.Currency, Site: s.p.Site, Asked: asked, Reports: t.cuts[id]}
		body, err := rec.Encode()
		if err != nil {
			return nil, fault.New(fault.Internal, "write payment "+id, err)
		}
		it := item{id: id, seen: s.seenOf(rec), look: row.ActsOn(),
			draft: source.Draft{Stream: stream, Location: s.o.Location, Kind: decode.Portico, Key: id, ContentType: "application/json", At: asked, Body: body}}
		if have, ok := s.p.Seen[id]; ok && have.covers(it.seen) {
			continue
		}
		if _, here := t.rows[it.look]; here || stream == envelope.History {
			it.look = "" // how it stands now is told beside
		}
		out = append(out, it)
	}
	return out, nil
}

// seenOf is what a record says in short. One that cannot be understood is told all the same: the hub lists it as a case.
func (s *Source) seenOf(rec portico.Record) seen {
	out := seen{At: s.line.now().Unix(), Final: true}
	switch p, err := rec.Mean(); x := p.(type) {
	case retail.Payment:
		out.Mark, out.Final = string(x.State)+" "+x.Amount.Decimal(), x.State.Final()
		if !x.At.IsZero() {
			out.At = x.At.Unix()
		}
		if x.Batch != "" {
			out.Mark += inBatch + x.Batch
		}
	default:
		if err != nil {
			out.Mark = fmt.Sprintf("? %08x", crc32.ChecksumIEEE([]byte(strings.Join(rec.Reports, ""))))
		} else {
			out.Mark = "act"
		}
	}
	return out
}

// inBatch stands between what was told of a payment and its batch, which only some reports name.
const inBatch = " in "

// covers reports that o tells nothing that was not told.
func (s seen) covers(o seen) bool {
	return s.Mark == o.Mark || strings.HasPrefix(s.Mark, o.Mark+inBatch)
}

// batchItem tells of a batch; nil when nothing changed.
func (s *Source) batchItem(cut []byte, asked time.Time, stream envelope.Stream) (*item, error) {
	rec := portico.Record{Location: s.o.Location, Currency: s.o.Currency, Site: s.p.Site, Asked: asked, Reports: []string{string(cut)}}
	body, err := rec.Encode()
	if err != nil {
		return nil, fault.New(fault.Internal, "write batch", err)
	}
	it := &item{draft: source.Draft{Stream: stream, Location: s.o.Location, Kind: decode.Portico, ContentType: "application/json", At: asked, Body: body}}
	r, err := rec.Mean()
	b, ok := r.(retail.Batch)
	if err != nil || !ok {
		return it, nil // told, and a case at the hub
	}
	it.draft.Key, it.batch = b.Key.ID, b.Key.ID
	it.state = batchSeen{Mark: fmt.Sprintf("%s %d %s", b.State, b.Count, b.Total.Decimal()), Opened: b.Opened.Unix(), Closed: b.State == retail.BatchClosed, Done: b.State == retail.BatchVoided}
	return it, nil
}

func itoa(n int) string { return strconv.Itoa(n) }
