package filedrop

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

var (
	littleEndian = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	bigEndian    = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
)

var marks = []struct {
	mark     []byte
	encoding encoding.Encoding
}{{[]byte("\xef\xbb\xbf"), nil}, {[]byte("\xff\xfe"), littleEndian}, {[]byte("\xfe\xff"), bigEndian}}

// start looks at the first bytes.
func (t *text) start() {
	marked := false
	for _, m := range marks {
		if rest, ok := bytes.CutPrefix(t.raw, m.mark); ok {
			t.encoding, t.begins[0].raw, t.raw, marked = m.encoding, int64(len(m.mark)), rest, true
			break
		}
	}
	if !marked && t.encoding == nil {
		t.encoding = unmarked(t.raw)
	}
	t.decoder = t.newDecoder()
}

// unmarked tells UTF-16 without a mark, as some databases' tools write it: every second byte of plain letters is zero, and of no other text.
func unmarked(raw []byte) encoding.Encoding {
	head := raw[:min(len(raw)&^1, 64)]
	if len(head) < 8 {
		return nil
	}
	for zero, e := range []encoding.Encoding{bigEndian, littleEndian} {
		plain := true
		for i := 0; i < len(head); i += 2 {
			plain = plain && head[i+zero] == 0 && head[i+1-zero] != 0
		}
		if plain {
			return e
		}
	}
	return nil
}

// lineEnds makes line feeds of carriage returns when a file ends its lines with nothing else, as Excel's "CSV (Macintosh)" does; its first chunk
// tells. No place in the text moves.
func (t *text) lineEnds(chunk []byte, first bool) {
	if first {
		t.macLines = bytes.IndexByte(chunk, '\r') >= 0 && bytes.IndexByte(chunk, '\n') < 0
	}
	if !t.macLines {
		return
	}
	for i, c := range chunk {
		if c == '\r' {
			chunk[i] = '\n'
		}
	}
}

// lenient passes UTF-8 through. A byte that is none is read as Windows-1252, which is what such files nearly always are: the money is
// booked, and no letter is lost.
type lenient struct{ transform.NopResetter }

// Transform implements transform.Transformer.
func (lenient) Transform(dst, src []byte, ended bool) (nDst, nSrc int, err error) {
	if n := min(len(dst), len(src)); n == len(src) && utf8.Valid(src) {
		return copy(dst, src), n, nil
	}
	for nSrc < len(src) {
		r, n := utf8.DecodeRune(src[nSrc:])
		if r == utf8.RuneError && n == 1 {
			if !ended && !utf8.FullRune(src[nSrc:]) {
				return nDst, nSrc, transform.ErrShortSrc
			}
			r = charmap.Windows1252.DecodeByte(src[nSrc])
		}
		if nDst+utf8.RuneLen(r) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
		nSrc += n
	}
	return nDst, nSrc, nil
}
