package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/retail"
)

// speaksFor lists the locations that a device speaks for now.
func (tx *Tx) speaksFor(ctx context.Context, d retail.DeviceID) (string, error) {
	var list []string
	err := each(ctx, tx, func(r *sql.Rows) error {
		var l string
		err := r.Scan(&l)
		list = append(list, l)
		return err
	}, `SELECT DISTINCT location FROM assignment WHERE device = ? AND until = 0 ORDER BY location`, string(d))
	return strings.Join(list, ", "), err
}

// senderKept is how long a device's rights are believed without a look: another process, a command, may change them.
const senderKept = time.Second

// senders remembers who may send, for a moment.
type senders struct {
	mu   sync.Mutex
	kept map[retail.DeviceID]keptSender
}

type keptSender struct {
	ingest.Sender
	read time.Time
}

func (k *senders) forget() {
	k.mu.Lock()
	k.kept = nil
	k.mu.Unlock()
}

// Sender implements ingest.Registry.
func (s *Store) Sender(ctx context.Context, d retail.DeviceID) (ingest.Sender, error) {
	now := s.Now()
	s.senders.mu.Lock()
	k, ok := s.senders.kept[d]
	s.senders.mu.Unlock()
	if age := now.Sub(k.read); ok && age >= 0 && age < senderKept {
		return k.Sender, nil
	}
	w, err := s.readSender(ctx, d)
	if err == nil {
		s.senders.mu.Lock()
		if s.senders.kept == nil {
			s.senders.kept = map[retail.DeviceID]keptSender{}
		}
		s.senders.kept[d] = keptSender{w, now}
		s.senders.mu.Unlock()
	}
	return w, err
}

func (s *Store) readSender(ctx context.Context, d retail.DeviceID) (w ingest.Sender, err error) {
	var disabled, ended bool
	err = s.read.QueryRowContext(ctx, `SELECT disabled, password = '' AND EXISTS (SELECT 1 FROM certificate c WHERE c.device = d.id)
		AND NOT EXISTS (SELECT 1 FROM certificate c WHERE c.device = d.id AND c.ended = 0) FROM device d WHERE id = ?`,
		string(d)).Scan(&disabled, &ended)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ingest.Sender{Refusal: "device " + string(d) + " is not registered at this hub"}, nil
	case err == nil && disabled:
		return ingest.Sender{Refusal: "device " + string(d) + " is disabled at the hub"}, nil
	case err == nil && ended: // a broker of its own may not know yet
		return ingest.Sender{Refusal: "device " + string(d) + " has no certificate that holds; enrol it again"}, nil
	case err != nil:
		return w, classify("read device", err)
	}
	return s.assigned(ctx, d)
}

// assigned is which locations a device speaks or spoke for, whether or not it may send now.
func (s *Store) assigned(ctx context.Context, d retail.DeviceID) (w ingest.Sender, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT location, since, until FROM assignment WHERE device = ?`, string(d))
	if err != nil {
		return w, classify("read assignments", err)
	}
	w.May, err = scanAll(rows, func(rows *sql.Rows) (a ingest.Assignment, err error) {
		var since, until int64
		err = rows.Scan(&a.Location, &since, &until)
		a.Since, a.Until = fromMicros(since), fromMicros(until)
		return a, err
	})
	return w, classify("read assignments", err)
}
