package filedrop

import (
	"errors"
	"hash"
	"io"
	"slices"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
)

// chunkSize is how much of a file is decoded at once.
const chunkSize = 32 << 10

// keptChunks is how many decoded chunks stay for rows that are read again: rows of one ticket mostly stand near each other.
const keptChunks = 8

// text is a file as UTF-8: read once from front to end, then again in any place. It remembers where each decoded chunk began in the file,
// so that a row can be found again in a file of any encoding without keeping it.
type text struct {
	encoding encoding.Encoding // nil = UTF-8
	begins   []begin           // of each chunk, and the end behind the last
	chunk    []byte            // the one that is being read
	raw      []byte            // read and not decoded yet
	in, out  []byte            // room for raw and chunk
	decoder  transform.Transformer
	sum      hash.Hash
	ended    bool
	macLines bool // see lineEnds

	kept  [keptChunks]keptChunk
	clock int
}

// begin is where a chunk stands: in the decoded text, and in the file.
type begin struct{ at, raw int64 }

type keptChunk struct {
	begin int // index, −1 = none
	used  int
	body  []byte
}

// newText reads as the profile says, unless the file itself says another UTF by its first bytes; Notepad and Excel write such marks.
func newText(p *profile.Profile, sum hash.Hash) (*text, error) {
	t := &text{sum: sum, begins: []begin{{}}}
	if p.Encoding != "" {
		e, err := htmlindex.Get(p.Encoding)
		if err != nil {
			return nil, fault.Msg(fault.Invalid, "read file", "the profile's encoding "+p.Encoding+" is not known")
		}
		if e != unicode.UTF8 {
			t.encoding = e
		}
	}
	for i := range t.kept {
		t.kept[i].begin = -1
	}
	return t, nil
}

func (t *text) newDecoder() transform.Transformer {
	if t.encoding == nil {
		return lenient{}
	}
	return t.encoding.NewDecoder()
}

// ahead is a reader of the decoded text of a file, from front to end. It reads, hashes and decodes beside whoever makes rows of it.
type ahead struct {
	chunk []byte // what is left of the one that is being read
	whole []byte // all of it
	ready chan []byte
	spare chan []byte // for the next ones
	stop  chan struct{}
	err   error // why there are no more; told when ready is closed
}

const chunksAhead = 4

// goAhead begins to read r; close must be called before anything else is done with t or r.
func (t *text) goAhead(r io.Reader) *ahead {
	a := &ahead{ready: make(chan []byte, chunksAhead), spare: make(chan []byte, chunksAhead+2), stop: make(chan struct{})}
	go func() {
		defer close(a.ready)
		for {
			select {
			case t.out = <-a.spare:
			default:
				t.out = nil
			}
			if a.err = t.next(r); a.err != nil {
				return
			}
			select {
			case a.ready <- t.chunk:
			case <-a.stop:
				return
			}
		}
	}()
	return a
}

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	for len(a.chunk) == 0 {
		if a.whole != nil {
			a.spare <- a.whole[:0]
		}
		var more bool
		if a.chunk, more = <-a.ready; !more {
			a.whole = nil
			return 0, a.err
		}
		a.whole = a.chunk
	}
	n := copy(p, a.chunk)
	a.chunk = a.chunk[n:]
	return n, nil
}

// close returns when nothing reads any more.
func (a *ahead) close() {
	close(a.stop)
	for range a.ready { // until it is closed
	}
}

// next decodes the next chunk of r.
func (t *text) next(r io.Reader) error {
	if !t.ended && len(t.raw) < chunkSize {
		t.in = slices.Grow(append(t.in[:0], t.raw...), chunkSize)
		have := len(t.in)
		n, err := io.ReadFull(r, t.in[have:have+chunkSize])
		t.raw = t.in[: have+n : have+n]
		t.sum.Write(t.raw[have:])
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			t.ended = true
		case err != nil:
			return fault.New(fault.Unavailable, "read file", err)
		}
	}
	if t.decoder == nil {
		t.start()
	}
	if len(t.raw) == 0 && t.ended {
		return io.EOF
	}
	out, used, err := decoded(t.decoder, t.raw, t.ended, t.out)
	if err != nil {
		return err
	}
	t.out = out
	if used == 0 && !t.ended {
		return fault.Msg(fault.Invalid, "read file", "the file is not in the encoding that its profile says")
	}
	last := t.begins[len(t.begins)-1]
	t.lineEnds(out, len(t.begins) == 1)
	t.begins = append(t.begins, begin{last.at + int64(len(out)), last.raw + int64(used)})
	t.chunk, t.raw = out, t.raw[used:]
	return nil
}

// decoded is raw as UTF-8, in room when that is enough, and how many bytes of it that took: a character that is cut off at the end waits for
// the next chunk.
func decoded(d transform.Transformer, raw []byte, ended bool, room []byte) (out []byte, used int, err error) {
	d.Reset()
	out = slices.Grow(room[:0], len(raw)+len(raw)/8+16)
	for {
		n, m, err := d.Transform(out[len(out):cap(out)], raw[used:], ended)
		out, used = out[:len(out)+n], used+m
		switch {
		case errors.Is(err, transform.ErrShortDst):
			out = slices.Grow(out, 4096+len(raw)-used)
		case errors.Is(err, transform.ErrShortSrc) && !ended, err == nil:
			return out, used, nil
		default:
			return out, used, fault.New(fault.Invalid, "read file", err)
		}
	}
}

// slice reads n bytes of the decoded text at off again; they may not be changed, and hold until the next slice. Code unavailable: the file is
// not the same any more.
func (t *text) slice(f io.ReaderAt, off int64, n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	body, from, err := t.chunkAt(f, off)
	if err != nil {
		return nil, err
	}
	if body = body[off-from:]; len(body) >= n {
		return body[:n:n], nil
	}
	out := make([]byte, 0, n)
	for len(out) < n {
		body, from, err := t.chunkAt(f, off+int64(len(out)))
		if err != nil {
			return nil, err
		}
		rest := body[off+int64(len(out))-from:]
		out = append(out, rest[:min(len(rest), n-len(out))]...)
	}
	return out, nil
}

// chunkAt returns the decoded chunk that holds off, and where it begins. It holds until the next.
func (t *text) chunkAt(f io.ReaderAt, off int64) ([]byte, int64, error) {
	i, exact := slices.BinarySearchFunc(t.begins, off, func(b begin, at int64) int { return int(max(-1, min(1, b.at-at))) })
	if !exact {
		i--
	}
	for i+1 < len(t.begins) && t.begins[i+1].at <= off {
		i++ // a chunk that decoded to nothing
	}
	if i < 0 || i+1 >= len(t.begins) {
		return nil, 0, errMoving
	}
	from := t.begins[i]
	oldest := 0
	t.clock++
	for k := range t.kept {
		if t.kept[k].begin == i {
			t.kept[k].used = t.clock
			return t.kept[k].body, from.at, nil
		}
		if t.kept[k].used < t.kept[oldest].used {
			oldest = k
		}
	}
	t.in = slices.Grow(t.in[:0], int(t.begins[i+1].raw-from.raw))
	raw := t.in[:t.begins[i+1].raw-from.raw]
	if _, err := f.ReadAt(raw, from.raw); err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, fault.New(fault.Unavailable, "read file", err)
	}
	k := &t.kept[oldest]
	body, _, err := decoded(t.newDecoder(), raw, i+2 == len(t.begins), k.body)
	if err != nil || int64(len(body)) != t.begins[i+1].at-from.at {
		k.begin = -1
		return nil, 0, errMoving
	}
	t.lineEnds(body, false)
	*k = keptChunk{i, t.clock, body}
	return body, from.at, nil
}
