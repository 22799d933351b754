package release

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"golang.org/x/crypto/argon2"

	"github.com/tillpost/tillpost/shared/fault"
)

// The cost of a passphrase: 256 MiB, three passes, about a second. A key is opened a few times a year and its file may be stolen.
const (
	memoryKiB    = 256 << 10
	passes       = 3
	maxMemoryKiB = 1 << 20
	maxPasses    = 16
	maxKeyFile   = 4 << 10
	// MinPassphrase is how long the passphrase of an offline key is at least, in bytes.
	MinPassphrase = 16
)

// Key signs. It prints as its id.
type Key struct{ private ed25519.PrivateKey }

// Public is the half that is handed round.
type Public struct{ key *metadata.Key }

// NewKey makes one.
func NewKey() (Key, error) {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	return Key{k}, err
}

// Public is the half of k that is handed round.
func (k Key) Public() Public {
	p, err := metadata.KeyFromPublicKey(k.private.Public())
	if err != nil {
		panic("BUG: a key that was made has no public half: " + err.Error())
	}
	return Public{p}
}

// String is the key's id and no secret.
func (k Key) String() string { return k.Public().ID() }

// GoString is String.
func (k Key) GoString() string { return k.String() }

func (k Key) signer() (signature.Signer, error) {
	return signature.LoadSigner(k.private, crypto.Hash(0))
}

// ID is the key's number in metadata.
func (p Public) ID() string {
	id, err := p.key.ID()
	if err != nil {
		panic("BUG: a public key has no id: " + err.Error())
	}
	return id
}

// keyFile is a key on a disk. Sealed is the seed under the passphrase; Plain is one that the hub opens alone, day and night.
type keyFile struct {
	Format    int    `json:"tillpost_release_key"`
	Public    string `json:"public"`
	Plain     string `json:"plain,omitempty"`
	MemoryKiB uint32 `json:"memory_kib,omitempty"`
	Passes    uint32 `json:"passes,omitempty"`
	Salt      string `json:"salt,omitempty"`
	Sealed    string `json:"sealed,omitempty"`
}

// Seal writes a key for a file, sealed under a passphrase (argon2id, AES-256-GCM). passphrase nil leaves it open: for the hub's online keys.
func (k Key) Seal(passphrase []byte) ([]byte, error) {
	f := keyFile{Format: 1, Public: hex.EncodeToString(k.private.Public().(ed25519.PublicKey))}
	if passphrase == nil {
		f.Plain = hex.EncodeToString(k.private.Seed())
		return json.MarshalIndent(f, "", "\t")
	}
	if len(passphrase) < MinPassphrase {
		return nil, fault.Msg(fault.Invalid, "seal key", fmt.Sprintf("a passphrase has at least %d characters: five plain words are good; no key was made", MinPassphrase))
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	f.MemoryKiB, f.Passes, f.Salt = memoryKiB, passes, hex.EncodeToString(salt)
	box, err := boxOf(f, passphrase)
	if err != nil {
		return nil, err
	}
	f.Sealed = hex.EncodeToString(box.Seal(nil, make([]byte, box.NonceSize()), k.private.Seed(), []byte(f.Public))) // a salt, and so a key, of its own: one message
	return json.MarshalIndent(f, "", "\t")
}

func boxOf(f keyFile, passphrase []byte) (cipher.AEAD, error) {
	salt, err := hex.DecodeString(f.Salt)
	if err != nil || len(salt) != 16 || f.MemoryKiB == 0 || f.MemoryKiB > maxMemoryKiB || f.Passes == 0 || f.Passes > maxPasses {
		return nil, errors.New("its figures are no key file's")
	}
	block, err := aes.NewCipher(argon2.IDKey(passphrase, salt, f.Passes, f.MemoryKiB, 1, 32))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// OpenKey reads a key file; ask is called for the passphrase of a sealed one. Code invalid.
func OpenKey(b []byte, ask func() ([]byte, error)) (Key, error) {
	f, err := readKeyFile(b)
	if err != nil {
		return Key{}, err
	}
	seed, err := hex.DecodeString(f.Plain)
	if f.Plain == "" {
		var pass []byte
		if pass, err = ask(); err != nil {
			return Key{}, err
		}
		seed, err = f.open(pass)
	}
	if err != nil || len(seed) != ed25519.SeedSize {
		return Key{}, fault.Msg(fault.Invalid, "open key", "the passphrase is wrong, or the key file is damaged")
	}
	k := Key{ed25519.NewKeyFromSeed(seed)}
	if hex.EncodeToString(k.private.Public().(ed25519.PublicKey)) != f.Public {
		return Key{}, fault.Msg(fault.Invalid, "open key", "the file's two halves are of different keys")
	}
	return k, nil
}

func (f keyFile) open(passphrase []byte) ([]byte, error) {
	box, err := boxOf(f, passphrase)
	if err != nil {
		return nil, err
	}
	sealed, err := hex.DecodeString(f.Sealed)
	if err != nil {
		return nil, err
	}
	return box.Open(nil, make([]byte, box.NonceSize()), sealed, []byte(f.Public))
}

func readKeyFile(b []byte) (f keyFile, err error) {
	if err = json.Unmarshal(b, &f); err == nil && (f.Format != 1 || len(b) > maxKeyFile) {
		err = errors.New("it is no key of this program's")
	}
	return f, fault.New(fault.Invalid, "read key file", err)
}

// Text writes the public half for a file.
func (p Public) Text() ([]byte, error) {
	return json.MarshalIndent(keyFile{Format: 1, Public: p.key.Value.PublicKey}, "", "\t")
}

// ParsePublic reads the public half from a file of either kind. Code invalid.
func ParsePublic(b []byte) (Public, error) {
	f, err := readKeyFile(b)
	if err != nil {
		return Public{}, err
	}
	raw, err := hex.DecodeString(f.Public)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return Public{}, fault.Msg(fault.Invalid, "read public key", "it has not 32 bytes in hex")
	}
	k, err := metadata.KeyFromPublicKey(ed25519.PublicKey(raw))
	return Public{k}, fault.New(fault.Invalid, "read public key", err)
}
