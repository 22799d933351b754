package retailapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
	"github.com/tillpost/tillpost/shared/retail"
)

// fresh is a record whose version was not captured yet.
type fresh struct {
	head
	id, updated int64
	raw         json.RawMessage
}

// take makes drafts of the records of a page that are new or changed. newest is the latest updated_at of the page.
func (s *Source) take(ctx context.Context, k kind, rows []json.RawMessage, c *cursor) (b batch, newest time.Time, err error) {
	list := make([]fresh, 0, len(rows))
	ids := make([]int64, 0, len(rows))
	for _, raw := range rows {
		f := fresh{raw: raw}
		if err := json.Unmarshal(raw, &f.head); err == nil {
			f.id, f.updated, err = f.version()
		}
		if f.id == 0 || f.updated <= 0 { // without these no poll can stand: the vendor's format is another than anybody has seen
			return b, newest, fault.Msg(fault.Invalid, "read "+k.path, fmt.Sprintf("a record has no id or updated_at that can be read: %.200s", raw))
		}
		if at := time.UnixMicro(f.updated); at.After(newest) {
			newest = at
		}
		list, ids = append(list, f), append(ids, f.id)
	}
	known, err := s.x.versions(ctx, k.env, ids)
	if err != nil {
		return b, newest, err
	}
	list = slices.DeleteFunc(list, func(f fresh) bool {
		return known[f.id] >= f.updated || k != orders && !f.Voided && hretail.Unfinished(f.Status)
	})
	if err := s.learn(ctx, list, &b); err != nil {
		return b, newest, err
	}
	for _, f := range list {
		if err := s.draft(ctx, k, f, c, &b); err != nil {
			return b, newest, err
		}
	}
	return b, newest, nil
}

// learn sees to it that places and categories of the records are known.
func (s *Source) learn(ctx context.Context, list []fresh, b *batch) error {
	var items []string
	for _, f := range list {
		if _, ok := s.reg.places[f.Location.String()]; !ok && f.Location != "" && time.Since(s.reg.refreshed) > time.Minute {
			if err := s.refreshPlaces(ctx); err != nil {
				return err
			}
		}
		for _, id := range itemsOf(f.Lines) {
			if _, ok := s.reg.categories[id]; !ok && !slices.Contains(items, id) {
				items = append(items, id)
			}
		}
	}
	if s.o.Category == "" || len(items) == 0 {
		return nil
	}
	return s.learnItems(ctx, items, b)
}

func itemsOf(lines json.RawMessage) (out []string) {
	var ls []struct {
		Item json.Number `json:"item_id"`
	}
	if len(lines) == 0 || json.Unmarshal(lines, &ls) != nil {
		return nil
	}
	for _, l := range ls {
		if l.Item != "" {
			out = append(out, l.Item.String())
		}
	}
	return out
}

// draft frames one record. Records of days before the beginning, or of other agents' locations, are passed by.
func (s *Source) draft(ctx context.Context, k kind, f fresh, c *cursor, b *batch) error {
	at := s.reg.places[f.Location.String()]
	if len(s.o.Locations) > 0 && !slices.Contains(s.o.Locations, at.Code) {
		return nil
	}
	frame := hretail.Frame{Tenant: s.o.Tenant, Location: at.Code, Currency: s.o.Currency, Record: f.raw}
	voided := f.Voided || f.Status == "voided"
	if (f.Lines == nil || f.Payments == nil) && !(voided && f.Local == "") {
		if err := s.apart(ctx, k, f, &frame); err != nil {
			return err
		}
	}
	if s.o.Category != "" {
		for _, id := range itemsOf(orRaw(frame.Lines, f.Lines)) {
			if name := s.reg.categories[id]; name != "" {
				if frame.Categories == nil {
					frame.Categories = map[string]string{}
				}
				frame.Categories[id] = name
			}
		}
	}
	frame.Tenders = s.tenders(orRaw(frame.Payments, f.Payments))
	if k == orders {
		return s.order(f, frame, c, b)
	}
	if day := f.Local; len(day) >= len(time.DateOnly) && retail.BusinessDate(day[:len(time.DateOnly)]) < c.Since {
		return nil
	}
	return s.add(k.env, f, frame, b)
}

// tenders names the payment types that a record's payments use.
func (s *Source) tenders(payments json.RawMessage) map[string]string {
	var ps []struct {
		Type json.Number `json:"payment_type_id"`
	}
	if len(payments) == 0 || json.Unmarshal(payments, &ps) != nil {
		return nil
	}
	out := map[string]string{}
	for _, p := range ps {
		if name := s.reg.tenders[p.Type.String()]; name != "" {
			out[p.Type.String()] = name
		}
	}
	return out
}

func orRaw(a, b json.RawMessage) json.RawMessage {
	if len(a) > 0 {
		return a
	}
	return b
}

// apart asks for lines and payments by themselves.
func (s *Source) apart(ctx context.Context, k kind, f fresh, frame *hretail.Frame) error {
	for _, part := range []struct {
		name string
		have json.RawMessage
		into *json.RawMessage
	}{{"lines", f.Lines, &frame.Lines}, {"payments", f.Payments, &frame.Payments}} {
		if part.have != nil || part.name == "lines" && k == orders {
			continue
		}
		p, err := s.c.list(ctx, k.path+"/"+strconv.FormatInt(f.id, 10)+"/"+part.name, query{rows: 500})
		if err != nil {
			return err
		}
		if *part.into, err = json.Marshal(p.Results); err != nil || p.Results == nil {
			*part.into = json.RawMessage("[]")
		}
	}
	return nil
}

// order captures an order and, each by itself, the deposits on it.
func (s *Source) order(f fresh, frame hretail.Frame, c *cursor, b *batch) error {
	if err := s.add(hretail.Order, f, frame, b); err != nil {
		return err
	}
	var ps []struct {
		ID      json.Number `json:"id"`
		Deposit bool        `json:"deposit"`
		Status  string      `json:"status"`
		Local   string      `json:"local_completed_at"`
	}
	if err := json.Unmarshal(orRaw(frame.Payments, f.Payments), &ps); err != nil {
		return nil // the order itself is kept, and its reader says what is wrong
	}
	for _, p := range ps {
		if p.Status != "complete" && p.Status != "voided" || len(p.Local) >= 10 && retail.BusinessDate(p.Local[:10]) < c.Since {
			continue
		}
		id, err := p.ID.Int64()
		if err != nil {
			continue
		}
		one := f
		one.id, frame.Payment = id, p.ID.String()
		if err := s.add(hretail.Deposit, one, frame, b); err != nil {
			return err
		}
	}
	return nil
}

// add appends a draft and what becomes known with it.
func (s *Source) add(k envelope.Kind, f fresh, frame hretail.Frame, b *batch) error {
	body, err := frame.Encode()
	if err != nil {
		return err
	}
	was := seen{kind: k, id: f.id, updated: f.updated, location: frame.Location}
	if rec, err := hretail.Decode(k, body); err == nil {
		if t, ok := rec.(retail.Ticket); ok {
			was.day = t.Day
			if t.Kind != retail.Void {
				tax, err1 := t.TaxTotal()
				paid, err2 := t.Paid()
				if err1 == nil && err2 == nil {
					was.tax, was.paid = tax.Minor, paid.Minor
				}
			}
		}
	}
	b.drafts = append(b.drafts, source.Draft{Stream: envelope.Sales, Location: frame.Location, Kind: k, Key: strconv.FormatInt(f.id, 10), ContentType: "application/json", At: time.Now(), Body: body})
	b.then.seen = append(b.then.seen, was)
	return nil
}
