package portico

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/portico"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// both asks for a window's activity and for the same window's transactions: each tells what the other leaves out.
func (s *Source) both(ctx context.Context, w reading, width *time.Duration) (t told, to time.Time, err error) {
	act, to, err := s.windowed(ctx, w, width, activity)
	if err != nil {
		return t, to, err
	}
	fnd, upTo, err := s.windowed(ctx, reading{w.from, to}, width, find)
	if err != nil {
		return t, to, err
	}
	if upTo.Before(to) { // it had to be narrowed: the activity beyond is asked for again
		if act, to, err = s.windowed(ctx, reading{w.from, upTo}, width, activity); err != nil {
			return t, to, err
		}
	}
	return gather(act.Report, fnd.Report), to, nil
}

// news reads what was paid since the last time, a little of it again.
func (s *Source) news(ctx context.Context) error {
	from := s.p.Through.Add(-overlap)
	t, to, err := s.both(ctx, reading{from, maxTime(s.line.now(), from).Add(ahead)}, &s.window)
	if err != nil {
		return err
	}
	if s.held, err = s.items(t, envelope.Sales, nil); err != nil {
		return err
	}
	if now := s.line.now(); to.After(now) { // the answer has just told the gateway's time
		to, s.window = now, widest
	} else {
		s.more = true
	}
	return s.move(func(p *progress) { p.Through = maxTime(p.Through, to) })
}

// move applies what a whole reading changes: with its last item, or at once when there is none.
func (s *Source) move(then func(*progress)) error {
	if len(s.held) > 0 {
		s.then = then
		return nil
	}
	then(s.p)
	return nil
}

// past reads a week of what was before this source began.
func (s *Source) past(ctx context.Context) error {
	t, to, err := s.both(ctx, reading{s.p.Old, s.p.OldEnd}, &s.old)
	if err != nil {
		return err
	}
	if s.held, err = s.items(t, envelope.History, nil); err != nil {
		return err
	}
	return s.move(func(p *progress) { p.Old = to })
}

// atOnce is how many payments are looked at by one errand.
const atOnce = 20

// changed looks at payments that a void, an edit or a reversal has touched, and at those that nobody closed in five weeks.
func (s *Source) changed(ctx context.Context) error {
	look := slices.Clone(s.p.Look[:min(len(s.p.Look), atOnce)])
	_, old := s.p.open(s.line.now())
	old = old[:min(len(old), atOnce-len(look))]
	var reps []portico.Report
	for _, id := range append(slices.Clone(look), old...) {
		a, err := s.ask(ctx, txnDetail(id))
		switch {
		case breaker.IsRefusal(err), fault.Retryable(err), ctx.Err() != nil:
			return err
		case err != nil: // gone, or not to be had this way: its day is read again in any case
		default:
			reps = append(reps, a.Report)
		}
	}
	var err error
	if s.held, err = s.items(gather(reps...), envelope.Sales, nil); err != nil {
		return err
	}
	return s.move(func(p *progress) {
		p.Look = slices.DeleteFunc(p.Look, func(id string) bool { return slices.Contains(look, id) })
		for _, id := range old {
			delete(p.Seen, id)
		}
	})
}

// batches lists the batches of all terminals of the site.
func (s *Source) batches(ctx context.Context) error {
	now := s.line.now()
	width := horizon + ahead // a list has a line per terminal and day
	a, to, err := s.windowed(ctx, reading{maxTime(s.p.batchesFrom(), now.Add(-horizon)), now.Add(ahead)}, &width, batchHistory)
	if err != nil {
		return err
	}
	asked := s.asked()
	s.held = nil
	for _, r := range a.Report.Rows {
		it, err := s.batchItem(a.Report.Cut(r), asked, envelope.Sales)
		if err != nil {
			return err
		}
		have, known := s.p.Batches[it.batch]
		if it.batch != "" && known && have.Mark == it.state.Mark {
			continue
		}
		s.held = append(s.held, *it)
	}
	s.more = to.Before(now)
	return s.move(func(p *progress) { p.Listed = maxTime(p.Listed, minTime(to, now)) })
}

// closedBatch is the oldest closed batch whose payments were not read yet. One of the past waits for the past: a batch's list tells less of
// a payment than the other reports, and what was told of one is not told again.
func (s *Source) closedBatch(now time.Time) (id string) {
	past := s.p.Old.Before(s.p.OldEnd)
	for k, b := range s.p.Batches {
		if past && time.Unix(b.Opened, 0).Before(s.p.OldEnd) || now.Before(s.later[k]) {
			continue
		}
		if b.Closed && !b.Done && (id == "" || b.Opened < s.p.Batches[id].Opened || b.Opened == s.p.Batches[id].Opened && k < id) {
			id = k
		}
	}
	return id
}

// triesMost is how often a closed batch that does not add up is read again before it is taken as it is: the hub shows the difference.
const triesMost = 6

// closed reads the payments of a closed batch and its sums by brand. The gateway may show the batch before it shows all its payments as
// closed: such a batch is read again.
func (s *Source) closed(ctx context.Context) error {
	id := s.closedBatch(s.line.now())
	b := s.p.Batches[id]
	detail, err := s.detail(ctx, id)
	if err != nil {
		s.later[id] = s.line.now().Add(15 * s.o.Poll)
		return err
	}
	sum, err := s.ask(ctx, batchSummary(id))
	if fault.Retryable(err) || ctx.Err() != nil {
		return err
	}
	s.permitted(err) // without it, the sums by brand are missing and nothing else
	stream := envelope.Sales
	if time.Unix(b.Opened, 0).Before(s.p.OldEnd) {
		stream = envelope.History
	}
	if s.held, err = s.items(gather(detail.Report), stream, nil); err != nil {
		return err
	}
	b.Done = s.settled(detail.Report) || b.Tries+1 >= triesMost
	b.Tries++
	if len(sum.Report.Rows) > 0 && b.Done {
		it, err := s.batchItem(sum.Report.Cut(sum.Report.Rows[0]), s.asked(), stream)
		if err != nil {
			return err
		}
		it.batch = ""
		s.held = append(s.held, *it)
	}
	if !b.Done {
		s.later[id] = s.line.now().Add(s.o.Poll)
	} else {
		delete(s.later, id)
	}
	return s.move(func(p *progress) { p.Batches[id] = b })
}

// detail reads a batch's payments. Where the report is not to be had, as for another terminal's batch with some keys, the same payments are
// found by search.
func (s *Source) detail(ctx context.Context, id string) (portico.Answer, error) {
	a, err := s.ask(ctx, batchDetail(id))
	if err == nil && a.Outcome == portico.Done {
		return a, nil
	}
	if fault.Retryable(err) || ctx.Err() != nil {
		return a, err
	}
	s.permitted(err)
	return s.ask(ctx, findBatch(id))
}

// permitted lets the connection go on after a report was refused that not every key may read: the key itself just worked for others.
func (s *Source) permitted(err error) {
	if breaker.IsRefusal(err) {
		s.br.Retry()
	}
}

// settled reports whether a batch's payments are all final and add up to what its header says.
func (s *Source) settled(rep portico.Report) bool {
	count, total := 0, money.Of(0, s.o.Currency)
	for _, r := range rep.Rows {
		rec := portico.Record{Currency: s.o.Currency, Asked: s.p.Asked, Reports: []string{string(rep.Cut(r))}}
		m, err := rec.Mean()
		p, ok := m.(retail.Payment)
		switch {
		case err != nil || !ok:
			continue
		case p.State == retail.PaymentOpen:
			return false
		case !p.State.Moves():
			continue
		}
		count++
		if total, err = total.Add(p.Amount); err != nil {
			return false
		}
	}
	want, err := money.Parse(rep.Header("BatchTxnAmt"), s.o.Currency)
	if err != nil { // found by search: there is no header to compare with
		return true
	}
	return want == total && rep.Header("BatchTxnCnt") == itoa(count)
}

// again reads the days that hold payments which may still change: tips, voids, and what a batch took.
func (s *Source) again(ctx context.Context) error {
	days, _ := s.p.open(s.line.now())
	s.held = nil
	known := func(id string) bool { _, ok := s.p.Seen[id]; return ok }
	var failed error
	for _, d := range days {
		if err := s.day(ctx, d, known); err != nil {
			failed = errors.Join(failed, err)
			if breaker.IsRefusal(err) || ctx.Err() != nil {
				return err
			}
		}
	}
	if failed != nil {
		return fault.New(fault.Unavailable, "read open payments", failed)
	}
	return nil
}

// day holds what changed of the payments of a day that are known.
func (s *Source) day(ctx context.Context, d time.Time, known func(string) bool) error {
	w := reading{d, d.Add(24 * time.Hour)}
	for w.from.Before(w.to) {
		a, to, err := s.windowed(ctx, w, &s.window, find)
		if err != nil {
			return err
		}
		more, err := s.items(gather(a.Report), envelope.Sales, known)
		if err != nil {
			return err
		}
		s.held = append(s.held, more...)
		w.from = to
	}
	return nil
}

// auths reads authorizations that nobody put into a batch: they cost fees, and some are sales that were never collected.
func (s *Source) auths(ctx context.Context) error {
	a, err := s.ask(ctx, openAuths())
	if err != nil {
		return err
	}
	s.held, err = s.items(gather(a.Report), envelope.Sales, nil)
	return err
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
