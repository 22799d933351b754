package filedrop

import (
	"bufio"
	"container/heap"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/tillpost/tillpost/shared/fault"
)

// runEntries is how many entries are sorted in memory, 1.5 MB of them: a file with fewer rows never touches the disk.
const runEntries = 32 << 10

// sorter sorts any number of entries in little memory: sorted runs go to a file and are merged from there.
type sorter struct {
	dir  string
	buf  []entry
	file *os.File
	ends []int64 // of each run, in entries
}

func (s *sorter) add(e entry) error {
	if len(s.buf) == runEntries {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.buf = append(s.buf, e)
	return nil
}

func (s *sorter) spill() (err error) {
	if s.file == nil {
		if s.file, err = tempFile(s.dir); err != nil {
			return err
		}
	}
	slices.SortFunc(s.buf, func(a, b entry) int { return a.compare(&b) })
	w := bufio.NewWriterSize(s.file, 64<<10)
	for i := range s.buf {
		_, _ = w.Write(s.buf[i][:]) // Flush tells
	}
	if err := w.Flush(); err != nil {
		return fault.New(fault.Unavailable, "group rows", err)
	}
	last := int64(0)
	if len(s.ends) > 0 {
		last = s.ends[len(s.ends)-1]
	}
	s.ends, s.buf = append(s.ends, last+int64(len(s.buf))), s.buf[:0]
	return nil
}

// inMemory gives all entries away in order; ok is false when they are not all in the memory.
func (s *sorter) inMemory() (sorted []entry, ok bool) {
	if s.file != nil {
		return nil, false
	}
	sorted, s.buf = s.buf, nil
	slices.SortFunc(sorted, func(a, b entry) int { return a.compare(&b) })
	return sorted, true
}

// each hands over all entries in order and forgets them.
func (s *sorter) each(f func(*entry) error) error {
	defer s.close()
	if sorted, ok := s.inMemory(); ok {
		for i := range sorted {
			if err := f(&sorted[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	s.buf = nil
	m, err := s.runs()
	for ; err == nil && len(m) > 0; err = m.step() {
		if err := f(&m[0].head); err != nil {
			return err
		}
	}
	return err
}

func (s *sorter) runs() (m merge, err error) {
	from := int64(0)
	for _, end := range s.ends {
		const size = int64(len(entry{}))
		r := &run{r: bufio.NewReaderSize(io.NewSectionReader(s.file, from*size, (end-from)*size), 4<<10)}
		if more, err := r.next(); err != nil {
			return nil, err
		} else if more {
			m = append(m, r)
		}
		from = end
	}
	heap.Init(&m)
	return m, nil
}

func (s *sorter) close() {
	if s.file != nil {
		dropFile(s.file)
	}
	s.file, s.buf = nil, nil
}

// run is a sorted part of the spill file.
type run struct {
	r    *bufio.Reader
	head entry
}

func (r *run) next() (more bool, err error) {
	if _, err := io.ReadFull(r.r, r.head[:]); errors.Is(err, io.EOF) {
		return false, nil
	} else if err != nil {
		return false, fault.New(fault.Unavailable, "group rows", err)
	}
	return true, nil
}

// merge is the runs by their heads.
type merge []*run

func (m *merge) step() error {
	more, err := (*m)[0].next()
	if err != nil {
		return err
	}
	if more {
		heap.Fix(m, 0)
	} else {
		heap.Pop(m)
	}
	return nil
}

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return m[i].head.compare(&m[j].head) < 0 }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)        { *m = append(*m, x.(*run)) }
func (m *merge) Pop() any {
	r := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return r
}

func tempFile(dir string) (*os.File, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fault.New(fault.Unavailable, "group rows", err)
		}
	}
	f, err := os.CreateTemp(dir, "rows-*")
	return f, fault.New(fault.Unavailable, "group rows", err)
}

func dropFile(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}
