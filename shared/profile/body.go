package profile

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Body is r as encoding/json writes it, byte for byte. A file's import makes one for each ticket, a tenth of its work when it is left to
// reflection; what is unusual in a text is still the library's.
func (r *Rows) Body() []byte {
	b := make([]byte, 0, r.size())
	b = appendText(append(b, `{"profile":`...), r.Profile)
	if r.Version != "" {
		b = appendText(append(b, `,"version":`...), r.Version)
	}
	b = appendText(append(b, `,"file":`...), r.File)
	b = appendText(append(b, `,"sha256":`...), r.SHA256)
	if r.Location != "" {
		b = appendText(append(b, `,"location":`...), string(r.Location))
	}
	if r.Zone != "" {
		b = appendText(append(b, `,"zone":`...), r.Zone)
	}
	if len(r.Top) > 0 {
		b = appendTexts(append(b, `,"top":`...), r.Top)
	}
	b = appendTexts(append(b, `,"header":`...), r.Header)
	b = r.appendRows(append(b, `,"rows":`...))
	if r.Note != "" {
		b = appendText(append(b, `,"note":`...), r.Note)
	}
	return append(b, '}')
}

func (r *Rows) size() int {
	n := 256 + len(r.File) + len(r.Note)
	for _, h := range r.Header {
		n += len(h) + 3
	}
	for _, row := range r.Rows {
		n += 24
		for _, c := range row.Cells {
			n += len(c) + 3
		}
	}
	return n
}

func (r *Rows) appendRows(b []byte) []byte {
	if r.Rows == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, row := range r.Rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"n":`...), int64(row.N), 10)
		b = append(appendTexts(append(b, `,"cells":`...), row.Cells), '}')
	}
	return append(b, ']')
}

func appendTexts(b []byte, ss []string) []byte {
	if ss == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, s := range ss {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return append(b, ']')
}

// plain are the bytes that stand for themselves.
var plain = func() (is [256]bool) {
	for c := ' '; c <= '~'; c++ {
		is[c] = !strings.ContainsRune(`"\<>&`, c)
	}
	return is
}()

func appendText(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if !plain[s[i]] {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("BUG: a text cannot be written: " + err.Error())
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
