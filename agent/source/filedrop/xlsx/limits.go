package xlsx

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// What a part may come to in memory beyond its bytes: a few kilobytes packed can unpack to millions of marks, each of which a decoder keeps in
// a hundred bytes. No workbook that a spreadsheet wrote comes near.
const (
	mostTag     = 64 << 10 // bytes of one tag with its attributes
	mostDepth   = 64       // elements in one another
	mostListed  = 1 << 16  // elements of a part that is a list: sheets, links
	mostStrings = 1 << 20  // strings that cells share
)

// decoder reads a part within these bounds. elements bounds how many there may be, 0 = what fits into the part.
func decoder(r io.Reader, elements int) *xml.Decoder {
	begin := bufio.NewReaderSize(r, 16)
	if mark, _ := begin.Peek(2); string(mark) == "\xff\xfe" || string(mark) == "\xfe\xff" {
		r = unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder().Reader(begin)
	} else {
		r = begin
	}
	d := xml.NewDecoder(&tags{from: r})
	d.CharsetReader = func(label string, r io.Reader) (io.Reader, error) {
		if strings.HasPrefix(strings.ToLower(label), "utf-16") { // it is decoded already, or its first line could not have been read
			return r, nil
		}
		e, err := htmlindex.Get(label)
		if err != nil {
			return nil, err
		}
		return e.NewDecoder().Reader(r), nil
	}
	return xml.NewTokenDecoder(&counted{xml: d, most: elements})
}

// tags is a part whose tags are of a sane length: a decoder holds all attributes of one at once.
type tags struct {
	from  io.Reader
	in    bool // behind a <
	plain bool // what quotes in it do not count in: a comment, an instruction
	quote byte // within a value in these
	size  int
}

// Read implements io.Reader.
func (t *tags) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	for _, c := range p[:n] {
		t.see(c)
		if t.size > mostTag {
			return 0, fmt.Errorf("a tag in it has more than %d KB", mostTag>>10)
		}
	}
	return n, err
}

func (t *tags) see(c byte) {
	switch {
	case !t.in:
		if c == '<' {
			*t = tags{from: t.from, in: true}
		}
		return
	case t.size == 0 && (c == '!' || c == '?'):
		t.plain = true
	case t.quote != 0:
		if c == t.quote {
			t.quote = 0
		}
	case !t.plain && (c == '"' || c == '\''):
		t.quote = c
	case c == '>':
		*t = tags{from: t.from}
		return
	}
	t.size++
}

// counted are a part's tokens while they stay within their bounds.
type counted struct {
	xml         *xml.Decoder
	depth       int
	most, count int
}

// Token implements xml.TokenReader.
func (c *counted) Token() (xml.Token, error) {
	t, err := c.xml.RawToken()
	switch t.(type) {
	case xml.StartElement:
		c.depth++
		c.count++
	case xml.EndElement:
		c.depth--
	}
	if c.depth > mostDepth {
		return nil, fmt.Errorf("more than %d of its elements stand in one another", mostDepth)
	}
	if c.most > 0 && c.count > c.most {
		return nil, fmt.Errorf("it lists more than %d things", c.most)
	}
	return t, err
}
