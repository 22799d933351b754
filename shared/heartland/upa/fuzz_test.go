package upa_test

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tillpost/tillpost/shared/heartland/upa"
)

// Whatever a terminal sends, cutting it into messages ends, without a panic, and finds the same messages however the bytes come in.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"\x02\n{\"message\":\"ACK\",\"data\":\"\"}\n\x03\n", "\x02\x03", "\n\n\x02{}\x03\n\x02{}\x03", "GET / HTTP/1.1\r\n\r\n", "\x02\n{\x02", ""} {
		f.Add([]byte(s), 1)
	}
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		whole, err1 := cut(bytes.NewReader(b))
		parts, err2 := cut(&slow{b, max(1, step%7)})
		if (err1 == nil) != (err2 == nil) || len(whole) != len(parts) {
			t.Fatalf("at once %q (%v), in pieces %q (%v)", whole, err1, parts, err2)
		}
		for i := range whole {
			if !bytes.Equal(whole[i], parts[i]) {
				t.Fatalf("%q and %q", whole[i], parts[i])
			}
		}
		if err1 != nil && !errors.Is(err1, upa.ErrGarbage) && !errors.Is(err1, bufio.ErrTooLong) {
			t.Fatal(err1)
		}
	})
}

type slow struct {
	b []byte
	n int
}

func (s *slow) Read(p []byte) (int, error) {
	n, err := bytes.NewReader(s.b).Read(p[:min(len(p), s.n)])
	s.b = s.b[n:]
	return n, err
}

func cut(r interface{ Read([]byte) (int, error) }) (out [][]byte, err error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, upa.MaxFrame)
	s.Split(upa.Split)
	for s.Scan() {
		out = append(out, bytes.Clone(s.Bytes()))
	}
	return out, s.Err()
}

// Whatever an answer says, every decoder ends without a panic; offline payments that are taken add up to what is said to be at stake, and a
// batch's payments carry its number.
func FuzzDecoders(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"message":"MSG","data":{"response":"GetSAFReport","cmdResult":{"result":"Success"},"data":{"SafDetails":[{"SafRecords":[{"totalAmount":92233720368547758.07},{"totalAmount":1}]}]}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := upa.Read(body)
		if err != nil {
			if !errors.Is(err, upa.ErrGarbage) {
				t.Fatal(err)
			}
			return
		}
		for _, name := range allowed { // each decoder meets each answer
			a.Command = name
			m, err := mean(a)
			if err != nil || m.Refused != "" {
				continue
			}
			if m.Offline != nil && !a.OK {
				t.Fatal("a refusal is read as a report")
			}
			if m.Offline != nil && m.Offline.AtRisk.Minor < 0 {
				t.Fatalf("%s at stake", m.Offline.AtRisk)
			}
			if s := m.State; s != nil && (len(s.Payments) > 20 || s.Count < len(s.Payments)) {
				t.Fatalf("%d payments are told, %d counted", len(s.Payments), s.Count)
			}
			for _, p := range m.Payments {
				if p.Batch != m.Batch.Key.ID || p.Key.ID == "" {
					t.Fatalf("%+v", p)
				}
			}
		}
	})
}

// No text can make the encoder write another command than its type says, or a second message.
func FuzzEncode(f *testing.F) {
	f.Add("990001", "13", "1001")
	f.Add(`1"},"command":"Sale`, "\x03", "")
	f.Fuzz(func(t *testing.T, batch, ecr, id string) {
		for _, c := range []upa.Command{upa.BatchReport{Batch: upa.BatchID(batch)}, upa.BatchDetails{Batch: upa.BatchID(batch)}, upa.Ping{}, upa.SAFReport{}} {
			b, err := upa.Encode(c, ecr, id)
			if err != nil {
				continue
			}
			msgs, err := cut(bytes.NewReader(b))
			if err != nil || len(msgs) != 1 || !bytes.Contains(msgs[0], []byte(`"command":"`+upa.Name(c)+`"`)) || bytes.Count(msgs[0], []byte(`"command"`)) != 1 {
				t.Fatalf("%q (%v)", b, err)
			}
		}
	})
}
