package logs

import (
	"io"
	"unicode/utf8"
)

// Plain writes to a person's screen: lines, and nothing that a screen takes for an order. A file's name, a vendor's answer or a stranger's refusal may
// hold such orders, and the screen may be an administrator's.
func Plain(w io.Writer) io.Writer { return &plain{to: w} }

type plain struct {
	to   io.Writer
	rest []byte // of a letter that is not whole yet
}

// Write implements io.Writer.
func (p *plain) Write(b []byte) (int, error) {
	in := append(p.rest, b...)
	out := make([]byte, 0, len(in))
	for len(in) > 0 && utf8.FullRune(in) {
		r, n := utf8.DecodeRune(in)
		switch {
		case r == '\r': // a line may begin anew with it, over what stands there
		case r == '\n' || r == '\t':
			out = append(out, in[:n]...)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError && n == 1:
			out = append(out, '?')
		default:
			out = append(out, in[:n]...)
		}
		in = in[n:]
	}
	p.rest = append([]byte(nil), in...)
	if _, err := p.to.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}
