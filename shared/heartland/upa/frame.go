// Package upa is the wire of UPA, the application on Heartland's card terminals: its frames, the seven commands that only read, and what
// their answers mean. Nothing that moves money can be expressed in it. It is pure; DESIGN.md says where its facts come from.
package upa

import (
	"bytes"
	"errors"

	"github.com/tillpost/tillpost/shared/fault"
)

// The control characters around a message: STX LF json LF ETX LF, both ways, no checksum.
const (
	stx = 0x02
	etx = 0x03
	lf  = '\n'
	cr  = '\r'
)

// MaxFrame bounds a message: a batch of 2,000 payments in detail is some 600 KB.
const MaxFrame = 1 << 20

// ErrGarbage: what came is no UPA message. The conversation is over; nothing of it is believed.
var ErrGarbage = errors.New("the terminal answers what is no UPA message")

func garbage(what string) error {
	return fault.New(fault.Invalid, "read terminal's answer", errors.Join(ErrGarbage, errors.New(what)))
}

// frame wraps a message.
func frame(json []byte) []byte {
	out := make([]byte, 0, len(json)+6)
	out = append(out, stx, lf)
	out = append(out, json...)
	return append(out, lf, etx, lf)
}

// Split implements bufio.SplitFunc: each token is one message's JSON. Line feeds between and within frames say nothing; any other byte
// outside a frame is ErrGarbage, and so is a frame in a frame. Give the scanner a buffer of at least MaxFrame.
func Split(data []byte, atEOF bool) (advance int, token []byte, err error) {
	start := 0
	for start < len(data) && (data[start] == lf || data[start] == cr) {
		start++
	}
	if start == len(data) {
		return start, nil, nil
	}
	if data[start] != stx {
		return 0, nil, garbage("it does not begin with STX")
	}
	body := data[start+1:]
	end := bytes.IndexByte(body, etx) // JSON spells control characters as escapes: the first ETX ends it
	if end < 0 {
		switch {
		case bytes.IndexByte(body, stx) >= 0:
			return 0, nil, garbage("a message begins before the one before has ended")
		case len(data) > MaxFrame:
			return 0, nil, garbage("the message is longer than any report")
		case atEOF:
			return 0, nil, garbage("the message breaks off")
		}
		return 0, nil, nil
	}
	body = body[:end]
	if bytes.IndexByte(body, stx) >= 0 {
		return 0, nil, garbage("a message begins before the one before has ended")
	}
	token = bytes.Trim(body, "\r\n")
	if len(token) == 0 {
		return 0, nil, garbage("the message is empty")
	}
	if bytes.IndexByte(token, lf) >= 0 {
		token = bytes.ReplaceAll(token, []byte{lf}, nil)
	}
	return start + 1 + end + 1, token, nil
}
