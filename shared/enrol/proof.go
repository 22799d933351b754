package enrol

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"

	"golang.org/x/crypto/argon2"

	"github.com/tillpost/tillpost/shared/fault"
)

// The cost of one guess at a code: OWASP's first choice of argon2id. Somebody who plays the hub hears a proof that he may try guesses on at
// home; 55 bits at 30 ms and 19 MiB each outlive every code by far.
const (
	memoryKiB = 19 * 1024
	passes    = 2
	keyBytes  = 32
)

// Key is what both sides prove that they have. The hub keeps it, sealed, in the code's place.
func (c Code) Key() []byte {
	return argon2.IDKey([]byte(c), []byte("tillpost enrol 1 "+c.ID()), passes, memoryKiB, 1, keyBytes)
}

// Channel is a secret of one TLS connection. Both ends of it compute the same, and whoever sits between two connections has two: a proof
// that he carries over fits nowhere.
func Channel(s *tls.ConnectionState) ([]byte, error) {
	if s == nil || s.Version < tls.VersionTLS13 {
		return nil, fault.Msg(fault.Invalid, "enrol", "the connection is not TLS 1.3")
	}
	b, err := s.ExportKeyingMaterial("EXPORTER-tillpost-enrol", nil, 32)
	return b, fault.New(fault.Internal, "enrol", err)
}

// AgentProof shows the hub that the PC knows the code; it covers what is asked.
func AgentProof(key, channel, ask []byte) []byte { return proof(key, "agent", channel, ask) }

// HubProof shows the PC that this is the hub that made the code; it covers what is granted, the hub's authority first of all.
func HubProof(key, channel, grant []byte) []byte { return proof(key, "hub", channel, grant) }

func proof(key []byte, who string, channel, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	sum := sha256.Sum256(body)
	for _, part := range [][]byte{[]byte(who), {0}, channel, sum[:]} { // channel and sum have fixed lengths
		m.Write(part)
	}
	return m.Sum(nil)
}
