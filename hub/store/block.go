package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// Bodies that nobody may have to forget stay together, compressed as they came: a seventh of the disk, and of what each commit must sync.
// A body that names a customer, that could not be understood or is not yet (it may name one) or that is a part of a larger record has a row of
// its own.
const (
	asReceived = 0 // the agent's batch, as envelope.Codec reads it
	asFrames   = 1 // zstd of one frame per sequence from first to last: length + 1 and body, or 0 for a body that has its own row
)

// apart reports whether a body gets a row of its own.
func apart(a *ingest.Accepted) bool {
	return a.Env.Parts > 1 || a.Meaning.Refused != nil || a.Meaning.Gather != nil || customer(a.Meaning.Record) != ""
}

// putBlock stores the bodies of an advance that may stay together.
func (tx *Tx) putBlock(ctx context.Context, lane int64, a ingest.Advance) error {
	own := 0
	for i := range a.Envs {
		if apart(&a.Envs[i]) {
			own++
		}
	}
	if own == len(a.Envs) {
		return nil
	}
	form, packed := asReceived, a.Packed
	if own > 0 || len(packed) == 0 {
		form, packed = asFrames, tx.store.pack.frames(a.Envs)
	}
	first, last := a.Envs[0].Env.Pos.Seq, a.Envs[len(a.Envs)-1].Env.Pos.Seq
	_, err := tx.ExecContext(ctx, `INSERT INTO block (lane, first, last, form, bytes) VALUES (?, ?, ?, ?, ?)`, lane, int64(first), int64(last), form, packed)
	return err
}

func (p *packer) frames(envs []ingest.Accepted) []byte {
	var raw []byte
	for i := range envs {
		if apart(&envs[i]) {
			raw = append(raw, 0)
			continue
		}
		body := envs[i].Env.Body
		raw = binary.AppendUvarint(raw, uint64(len(body))+1)
		raw = append(raw, body...)
	}
	enc := p.encoders.Get().(*zstd.Encoder)
	defer p.encoders.Put(enc)
	return enc.EncodeAll(raw, nil)
}

// blockMost bounds what a block may unpack to; a batch is far below it.
const blockMost = 64 << 20

// packer holds what packs and unpacks blocks. It belongs to one Store: a test's virtual world must not meet another's.
type packer struct {
	encoders, decoders, codecs sync.Pool
}

func newPacker() *packer {
	p := &packer{}
	p.encoders.New = func() any {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			panic("BUG: zstd encoder options: " + err.Error())
		}
		return e
	}
	p.decoders.New = func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(blockMost))
		if err != nil {
			panic("BUG: zstd decoder options: " + err.Error())
		}
		return d
	}
	p.codecs.New = func() any { return envelope.NewCodec() }
	return p
}

// block is one that was unpacked.
type block struct {
	lane        int64
	first, last uint64
	bodies      [][]byte // from first to last; nil = it has a row of its own
}

// lastBlock remembers the block that was read last: who reads one record usually reads its neighbours.
type lastBlock struct {
	mu sync.Mutex
	b  *block
}

func (l *lastBlock) forget() {
	l.mu.Lock()
	l.b = nil
	l.mu.Unlock()
}

// packedBody reads a body out of its block. Code not_found when none holds it.
func (s *Store) packedBody(ctx context.Context, q queryer, lane int64, seq uint64) ([]byte, error) {
	s.last.mu.Lock()
	b := s.last.b
	s.last.mu.Unlock()
	if b == nil || b.lane != lane || seq < b.first || seq > b.last {
		var err error
		if b, err = s.readBlock(ctx, q, lane, seq); err != nil {
			return nil, err
		}
		s.last.mu.Lock()
		s.last.b = b
		s.last.mu.Unlock()
	}
	if body := b.bodies[seq-b.first]; body != nil {
		return body, nil
	}
	return nil, noBody(seq)
}

func noBody(seq uint64) error {
	return fault.Msg(fault.NotFound, "read record", fmt.Sprintf("the raw record at sequence %d is not kept", seq))
}

func (s *Store) readBlock(ctx context.Context, q queryer, lane int64, seq uint64) (*block, error) {
	var first, last int64
	var form int
	var packed []byte
	err := q.QueryRowContext(ctx, `SELECT first, last, form, bytes FROM block WHERE lane = ? AND first <= ? ORDER BY first DESC LIMIT 1`, lane, int64(seq)).Scan(&first, &last, &form, &packed)
	if errors.Is(err, sql.ErrNoRows) || (err == nil && uint64(last) < seq) {
		return nil, noBody(seq)
	}
	if err != nil {
		return nil, classify("read record", err)
	}
	b := &block{lane: lane, first: uint64(first), last: uint64(last), bodies: make([][]byte, last-first+1)}
	if form == asReceived {
		err = b.received(s.pack, packed)
	} else {
		err = b.framed(s.pack, packed)
	}
	return b, fault.New(fault.Internal, fmt.Sprintf("read record: the block at sequence %d is damaged", first), err)
}

// received unpacks an agent's batch, which may begin before the block.
func (b *block) received(p *packer, packed []byte) error {
	c := p.codecs.Get().(*envelope.Codec)
	defer p.codecs.Put(c)
	batch, err := c.Decode(packed)
	if err != nil {
		return err
	}
	for i := range batch {
		if seq := batch[i].Pos.Seq; seq >= b.first && seq <= b.last {
			b.bodies[seq-b.first] = nonNil(batch[i].Body)
		}
	}
	return nil
}

func (b *block) framed(p *packer, packed []byte) error {
	d := p.decoders.Get().(*zstd.Decoder)
	defer p.decoders.Put(d)
	raw, err := d.DecodeAll(packed, nil)
	if err != nil {
		return err
	}
	for i := range b.bodies {
		n, k := binary.Uvarint(raw)
		if k <= 0 || n > uint64(len(raw)-k)+1 {
			return fmt.Errorf("frame %d of %d", i+1, len(b.bodies))
		}
		raw = raw[k:]
		if n > 0 {
			b.bodies[i], raw = nonNil(raw[:n-1:n-1]), raw[n-1:]
		}
	}
	return nil
}
