package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"

	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/shared/fault"
)

// Authority gives the hub's certificate authority, and makes it on the first call. It is part of every backup, sealed under hub.secret: a
// hub that was put back is still the one that its stores know.
func (s *Store) Authority(ctx context.Context) (a *authority.Authority, err error) {
	if a, err = s.readAuthority(ctx, s.read); !errors.Is(err, sql.ErrNoRows) {
		return a, classify("read the hub's authority", err)
	}
	hub, err := s.HubID(ctx)
	if err != nil {
		return nil, err
	}
	err = s.InTx(ctx, func(tx *Tx) error {
		if a, err = s.readAuthority(ctx, tx); !errors.Is(err, sql.ErrNoRows) { // another process was faster
			return err
		}
		if a, err = authority.New(hub, tx.Now); err != nil {
			return err
		}
		cert, key, err := a.Bytes()
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO authority (id, cert, key, created) VALUES (1, ?, ?, ?)`, cert, seal(s.sealKey(), key), micros(tx.Now)); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "authority", Who: "hub", What: "made", After: string(hub)})
	})
	return a, err
}

func (s *Store) readAuthority(ctx context.Context, q querier) (*authority.Authority, error) {
	var cert, sealed []byte
	if err := q.QueryRowContext(ctx, `SELECT cert, key FROM authority WHERE id = 1`).Scan(&cert, &sealed); err != nil {
		return nil, err
	}
	key, err := unseal(s.sealKey(), sealed)
	if err != nil {
		return nil, fault.New(fault.Internal, "read the hub's authority: put hub.secret back from its copy, else every store needs a new code", err)
	}
	return authority.Load(cert, key)
}

// sealKey seals what the database must not tell by itself: a stolen copy of it enrols nobody.
func (s *Store) sealKey() []byte {
	m := hmac.New(sha256.New, s.secret)
	m.Write([]byte("tillpost enrol"))
	return m.Sum(nil)
}
