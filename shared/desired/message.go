// Package desired is the hub's word to one store's PC on what it shall be: which sources it reads with which profiles, how much it logs,
// which release it runs, and what it is asked to do once. It is state: the last word counts. The word is signed by the hub's authority and
// names hub, device and a version that only grows, so that whoever owns the broker can neither make one up, hand one PC another's, nor
// bring an old one back. See DESIGN.md.
package desired

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	// MaxSettings bounds the settings of one PC: profiles are the largest part, and a long one has 8 KB.
	MaxSettings = 48 << 10
	// MaxCommands is how many commands may wait for one PC.
	MaxCommands = 20
	// MaxPayload is what may stand on the topic: below the 128 KB that every broker takes (D4).
	MaxPayload = 96 << 10
)

// Message is the whole word. Its bytes are what is signed.
type Message struct {
	Hub     envelope.HubID  `json:"hub"`
	Device  retail.DeviceID `json:"device"`
	Version int64           `json:"version"` // milliseconds of its making, and always more than the one before
	Made    time.Time       `json:"made"`
	// Settings is TOML in the form of agent.toml, with what the hub may set and nothing else; Hash is that of its text.
	Settings string    `json:"settings"`
	Hash     string    `json:"hash"`
	Release  *Release  `json:"release,omitempty"`
	Commands []Command `json:"commands,omitempty"`
}

// Release is the release that is wanted; nil = whatever runs. What it means is agent/update's.
type Release struct {
	Version   string    `json:"version"`
	Order     string    `json:"order"` // which wish this is: a version that failed is tried again for another one only
	NotBefore time.Time `json:"not_before,omitzero"`
	Back      bool      `json:"back,omitempty"` // to the version before, which still lies on the PC's disk
	// Minutes of the store's day between which the program may be changed; equal = at any hour. Until may be before From: past midnight.
	From  int    `json:"from,omitempty"`
	Until int    `json:"until,omitempty"`
	Zone  string `json:"zone,omitempty"` // the store's; "" = the PC's own
	// Channel is that of the candidates which this PC may be given; "" = only what is released for everybody.
	Channel string `json:"channel,omitempty"`
}

// ReleaseStep is how far a PC is with the release that is wanted.
type ReleaseStep string

// Steps. All but Rests and Begun are final.
const (
	Rests      ReleaseStep = "resting" // it could not be done, with why, and is tried again
	Begun      ReleaseStep = "working"
	Kept       ReleaseStep = "kept"
	WentBack   ReleaseStep = "back"
	NotTakenUp ReleaseStep = "refused"
)

// ReleaseReport is what a PC says of it.
type ReleaseReport struct {
	Order   string      `json:"order"`
	Version string      `json:"version"`
	Step    ReleaseStep `json:"step"`
	Why     string      `json:"why,omitempty"`
	At      time.Time   `json:"at"`
}

// Sealed is what stands on the topic.
type Sealed struct {
	Body      []byte `json:"body"` // a Message in JSON
	Signature []byte `json:"signature"`
}

// HashOf is the hash of settings.
func HashOf(settings string) string {
	sum := sha256.Sum256([]byte(settings))
	return hex.EncodeToString(sum[:16])
}

// Digest is what the authority signs. Its prefix begins no certificate and no other thing that the authority signs: a signature on a word is
// good for nothing else.
func Digest(body []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte("tillpost desired state v1\x00"))
	h.Write(body)
	return [sha256.Size]byte(h.Sum(nil))
}

// Encode writes a message and has it signed. Code invalid: it is too large.
func Encode(m Message, sign func(body []byte) ([]byte, error)) ([]byte, error) {
	if len(m.Settings) > MaxSettings || len(m.Commands) > MaxCommands {
		return nil, fault.Msg(fault.Invalid, "desired state of "+string(m.Device), fmt.Sprintf("%d bytes of settings and %d commands; %d and %d are the most", len(m.Settings), len(m.Commands), MaxSettings, MaxCommands))
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fault.New(fault.Internal, "write desired state", err)
	}
	sig, err := sign(body)
	if err != nil {
		return nil, err
	}
	out, err := json.Marshal(Sealed{body, sig})
	if err != nil {
		return nil, fault.New(fault.Internal, "write desired state", err)
	}
	if len(out) > MaxPayload {
		return nil, fault.Msg(fault.Invalid, "desired state of "+string(m.Device), fmt.Sprintf("%d bytes; %d are the most", len(out), MaxPayload))
	}
	return out, nil
}

// Open checks a word: it is the authority's, for this device, of this hub, and whole. What a later hub says beside what we know is no fault of
// it, and neither is a command that we do not know: whoever obeys it asks Command.Check and tells that alone. Code invalid; the text says
// what is wrong with it.
func Open(payload []byte, authority string, hub envelope.HubID, d retail.DeviceID) (m Message, err error) {
	refuse := func(why string) (Message, error) {
		return Message{}, fault.Msg(fault.Invalid, "read the desired state", why)
	}
	if len(payload) > MaxPayload {
		return refuse("it is too large")
	}
	var s Sealed
	if err := json.Unmarshal(payload, &s); err != nil { // a later hub may say more beside it
		return refuse("it cannot be read")
	}
	key, err := keyOf(authority)
	if err != nil {
		return Message{}, err
	}
	digest := Digest(s.Body)
	if !ecdsa.VerifyASN1(key, digest[:], s.Signature) {
		return refuse("it is not signed by this PC's hub")
	}
	if err := json.Unmarshal(s.Body, &m); err != nil { // a later hub may say more than we know
		return refuse("it cannot be read")
	}
	switch {
	case m.Hub != hub:
		return refuse("it is another hub's")
	case m.Device != d:
		return refuse("it is another PC's")
	case m.Version <= 0 || m.Hash != HashOf(m.Settings):
		return refuse("its version or hash is wrong")
	case len(m.Settings) > MaxSettings:
		return refuse("it is too large")
	}
	m.Commands = answerable(m.Commands)
	return m, nil
}

// answerable are the commands that this PC can tell the end of, the first ones when there are more than may wait: the others come when those
// have ended.
func answerable(cs []Command) []Command {
	cs = slices.DeleteFunc(cs, func(c Command) bool { return !c.named() })
	return cs[:min(len(cs), MaxCommands)]
}

func keyOf(authority string) (*ecdsa.PublicKey, error) {
	b, _ := pem.Decode([]byte(authority))
	if b == nil {
		return nil, fault.Msg(fault.Invalid, "read the hub's authority", "it holds no certificate")
	}
	c, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		return nil, fault.New(fault.Invalid, "read the hub's authority", err)
	}
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok || !c.IsCA {
		return nil, fault.Msg(fault.Invalid, "read the hub's authority", "it is no authority of ours")
	}
	return key, nil
}
