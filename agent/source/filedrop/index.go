package filedrop

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"github.com/tillpost/tillpost/shared/fault"
)

// place is where rows of one ticket stand together: the first one's number in the file, how many lines they are, their bytes in the decoded
// text, and those bytes' checksum. A row that is more than a line stands alone. Group is the row with which its ticket begins. Nothing of
// the rows themselves is in it: this is what is spilled to disk.
type place struct {
	group uint64
	row   uint64
	rows  int
	off   int64
	size  uint32
	crc   uint32
	over  bool // of a ticket with more rows than any ticket has
	bad   bool // the format could not cut it out as a row
}

// entry is a place on its way through the sorter: 16 bytes to sort by, then the rest. Two sorts make the index: by ticket, so that rows of
// one ticket meet wherever they stood, then by the row with which a ticket begins, so that tickets come in the file's order.
type entry [48]byte

func (p place) entry(key [16]byte) (e entry) {
	copy(e[:16], key[:])
	binary.BigEndian.PutUint64(e[16:], p.row)
	binary.BigEndian.PutUint64(e[24:], uint64(p.off))
	binary.BigEndian.PutUint32(e[32:], p.size)
	binary.BigEndian.PutUint32(e[36:], p.crc)
	binary.BigEndian.PutUint16(e[42:], uint16(p.rows))
	if p.bad {
		e[41] = 1
	}
	return e
}

func (e *entry) place() place {
	return place{group: binary.BigEndian.Uint64(e[:8]), row: binary.BigEndian.Uint64(e[16:]), off: int64(binary.BigEndian.Uint64(e[24:])),
		size: binary.BigEndian.Uint32(e[32:]), crc: binary.BigEndian.Uint32(e[36:]), over: e[40] == 1, bad: e[41] == 1, rows: e.rows()}
}

func (e *entry) rows() int { return int(binary.BigEndian.Uint16(e[42:])) }

func (e *entry) compare(o *entry) int { return bytes.Compare(e[:24], o[:24]) }

// index is a file's rows, ticket by ticket, in the order in which tickets begin.
type index struct {
	byID sorter
	done list
	last struct { // place that may grow
		key   [16]byte
		place place
	}
}

const (
	maxTogether      = 500 // lines in one place; maxTicketRows is a multiple
	maxTogetherBytes = 128 << 10
)

func newIndex(dir string) *index {
	return &index{byID: sorter{dir: dir}, done: list{dir: dir}}
}

// add notes a row of the ticket that key stands for: rows of a ticket mostly follow one another, and are one entry then. line says that the
// row is just one line.
func (x *index) add(key [16]byte, s span, line bool) error {
	l := &x.last
	if p := &l.place; line && p.rows > 0 && key == l.key && s.off == p.off+int64(p.size) && uint64(s.row) == p.row+uint64(p.rows) && p.rows < maxTogether && int(p.size)+len(s.raw) <= maxTogetherBytes {
		p.size, p.rows, p.crc = p.size+uint32(len(s.raw)), p.rows+1, crc32.Update(p.crc, crc32.IEEETable, s.raw)
		return nil
	}
	if err := x.settle(); err != nil {
		return err
	}
	p := place{row: uint64(s.row), rows: 1, off: s.off, size: uint32(len(s.raw)), crc: crc32.ChecksumIEEE(s.raw), bad: s.bad != ""}
	if !line {
		return x.byID.add(p.entry(key))
	}
	l.key, l.place = key, p
	return nil
}

// settle notes the place that may grow: it is whole.
func (x *index) settle() error {
	p := x.last.place
	x.last.place = place{}
	if p.rows == 0 {
		return nil
	}
	return x.byID.add(p.entry(x.last.key))
}

// finish sorts; rows of a ticket with more than maxTicketRows are marked.
func (x *index) finish() error {
	var key [16]byte
	var ticket []entry // of the ticket that is being gathered
	size, rows, over := 0, 0, false
	if err := x.settle(); err != nil {
		return err
	}
	out := sorter{dir: x.byID.dir, buf: make([]entry, 0, len(x.byID.buf))}
	defer out.close()
	flush := func() error {
		for i := range ticket {
			if over {
				ticket[i][40] = 1
			}
			if err := out.add(ticket[i]); err != nil {
				return err
			}
		}
		ticket = ticket[:0]
		return nil
	}
	var group [16]byte
	err := x.byID.each(func(e *entry) error {
		if len(ticket) == 0 && !over || !bytes.Equal(e[:16], key[:]) {
			if err := flush(); err != nil {
				return err
			}
			size, rows, over, key, group = 0, 0, false, [16]byte(e[:16]), [16]byte{}
			copy(group[:], e[16:24])
		}
		n := *e
		copy(n[:16], group[:])
		size += int(binary.BigEndian.Uint32(e[32:]))
		rows += e.rows()
		if ticket = append(ticket, n); rows > maxTicketRows || size > maxTicketBytes {
			over = true
			return flush()
		}
		return nil
	})
	if err = cmp.Or(err, flush()); err != nil {
		return err
	}
	if sorted, ok := out.inMemory(); ok {
		x.done.buf, x.done.n = sorted, int64(len(sorted))
		return nil
	}
	if err := out.each(func(e *entry) error { return x.done.add(*e) }); err != nil {
		return err
	}
	return x.done.flush()
}

func (x *index) close() {
	x.byID.close()
	x.done.close()
}

// list is the finished index, in memory while it is short.
type list struct {
	dir  string
	buf  []entry
	file *os.File
	w    *bufio.Writer
	n    int64

	window []byte // of the file, from entry first on
	first  int64
}

func (l *list) add(e entry) (err error) {
	l.n++
	if l.file == nil && len(l.buf) < runEntries {
		l.buf = append(l.buf, e)
		return nil
	}
	if l.file == nil {
		if l.file, err = tempFile(l.dir); err != nil {
			return err
		}
		l.w = bufio.NewWriterSize(l.file, 64<<10)
		for i := range l.buf {
			_, _ = l.w.Write(l.buf[i][:])
		}
		l.buf = nil
	}
	_, err = l.w.Write(e[:])
	return fault.New(fault.Unavailable, "group rows", err)
}

func (l *list) flush() error {
	if l.w == nil {
		return nil
	}
	err := l.w.Flush()
	l.w = nil
	return fault.New(fault.Unavailable, "group rows", err)
}

// at returns the i-th place; ok is false behind the last.
func (l *list) at(i int64) (p place, ok bool, err error) {
	if i >= l.n {
		return place{}, false, nil
	}
	if l.file == nil {
		return l.buf[i].place(), true, nil
	}
	const size = int64(len(entry{}))
	if i < l.first || i >= l.first+int64(len(l.window))/size {
		l.first, l.window = i, make([]byte, 256*size)
		n, err := l.file.ReadAt(l.window, i*size)
		if l.window = l.window[:n]; err != nil && !errors.Is(err, io.EOF) || int64(n) < size {
			return place{}, false, fault.New(fault.Unavailable, "group rows", cmp.Or(err, io.ErrUnexpectedEOF))
		}
	}
	e := entry(l.window[(i-l.first)*size:])
	return e.place(), true, nil
}

func (l *list) close() {
	if l.file != nil {
		dropFile(l.file)
	}
	l.file, l.buf = nil, nil
}
