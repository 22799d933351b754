package broker

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/topic"
)

// door decides who comes in and gives each device the rights of its own topics, no more.
type door struct {
	ctx       context.Context // of the process: nats-server's callback has none
	passwords Passwords
	matches   func(hash, password string) bool
	authority *authority.Authority
	certs     Certificates
	log       *slog.Logger
	own       string // the hub's own password, of this run
	key       []byte // under which known passwords are remembered, of this run
	loopback  bool

	mu     sync.Mutex
	known  map[retail.DeviceID]verdict
	turned map[string]time.Time // away, by name: when it was last said
}

// A device that is turned away knocks every 15 s and is told of once in turnedEvery. So many names are remembered at once.
const (
	turnedEvery = 5 * time.Minute
	maxTurned   = 10_000
)

// complain says that somebody was turned away, once in a while for each name.
func (d *door) complain(words, name, address string, err error, more ...any) {
	now := time.Now()
	d.mu.Lock()
	last, was := d.turned[name]
	quiet := was && now.Sub(last) < turnedEvery
	if !quiet {
		if len(d.turned) >= maxTurned {
			clear(d.turned)
		}
		d.turned[name] = now
	}
	d.mu.Unlock()
	level := slog.LevelWarn
	if quiet {
		level = slog.LevelDebug
	}
	d.log.Log(d.ctx, level, words, append([]any{"device", printable(name), "address", address, "err", err}, more...)...)
}

// verdict remembers that a password did or did not fit a hash, so that 5,000 stores that come back at once cost 5,000 look-ups and not
// 5,000 times 19 MB of argon2id.
type verdict struct {
	mac [sha256.Size]byte // of hash and password, under a key that only this process has
	ok  bool
}

// lookUpIn bounds the database's answer: the broker's reader waits for it.
const lookUpIn = 5 * time.Second

func newDoor(ctx context.Context, o Options, loopback bool) *door {
	return &door{ctx: context.WithoutCancel(ctx), passwords: o.Passwords, matches: o.Matches, authority: o.Authority, certs: o.Certificates, log: o.Log, own: randomText(), key: []byte(randomText()),
		loopback: loopback, known: map[retail.DeviceID]verdict{}, turned: map[string]time.Time{}}
}

// Check implements server.Authentication. It is called concurrently, once for each connection.
func (d *door) Check(c server.ClientAuthentication) bool {
	if c.RemoteAddress() == nil { // it has hung up meanwhile, as when a whole fleet comes back at once: nothing of it can be seen any more
		return false
	}
	o := c.GetOpts()
	if o.Username == HubUser {
		if subtle.ConstantTimeCompare([]byte(o.Password), []byte(d.own)) != 1 {
			return false
		}
		c.RegisterUser(&server.User{Username: HubUser, Permissions: hubRights})
		return true
	}
	device := retail.DeviceID(o.Username)
	if s := c.GetTLSConnectionState(); s != nil && len(s.PeerCertificates) > 0 {
		return d.shown(c, s.PeerCertificates, device)
	}
	if !device.Valid() || !d.admit(device, o.Password) {
		d.complain("the broker turned a device away: its name or password is wrong, or it is disabled", o.Username, caller(c), nil)
		return false
	}
	c.RegisterUser(&server.User{Username: string(device), Permissions: rights(device)})
	return true
}

// caller is where a client comes from, also of one that hangs up in this moment.
func caller(c server.ClientAuthentication) string {
	if a := c.RemoteAddress(); a != nil {
		return a.String()
	}
	return "gone"
}

// shown lets a device in by its certificate, under the name that stands in it and no other. A password beside it counts for nothing.
func (d *door) shown(c server.ClientAuthentication, chain []*x509.Certificate, name retail.DeviceID) bool {
	refuse := func(device retail.DeviceID, err error) bool {
		d.complain("the broker turned a device away: its certificate gives it no right to come in", string(device), caller(c), err, "as", printable(string(name)))
		return false
	}
	if d.authority == nil {
		return refuse("", fault.Msg(fault.Invalid, "certificate", "this hub gives out no certificates"))
	}
	cert, err := d.authority.Verify(chain, time.Now(), 0)
	if err != nil {
		return refuse("", err)
	}
	if cert.Device != name {
		return refuse(cert.Device, fault.Msg(fault.Conflict, "certificate", "it is another device's than the one that it names"))
	}
	ctx, cancel := context.WithTimeout(d.ctx, lookUpIn)
	defer cancel()
	if err := d.certs.Admit(ctx, cert); err != nil {
		return refuse(cert.Device, err)
	}
	c.RegisterUser(&server.User{Username: string(cert.Device), Permissions: rights(cert.Device)})
	return true
}

func (d *door) admit(device retail.DeviceID, password string) bool {
	if d.passwords == nil {
		return d.loopback
	}
	ctx, cancel := context.WithTimeout(d.ctx, lookUpIn)
	defer cancel()
	hash, err := d.passwords.Password(ctx, device)
	if err != nil && !fault.Is(err, fault.NotFound) {
		d.log.ErrorContext(ctx, "cannot look a device's password up", "device", device, "err", err)
		return false
	}
	if hash == "" { // unknown, disabled or without one: costs as much as a wrong password, so that names cannot be tried out
		return d.matches("", password) && err == nil
	}
	return d.fits(device, hash, password)
}

// fits compares once and remembers the last answer of each device; a new hash or another password is compared anew.
func (d *door) fits(device retail.DeviceID, hash, password string) bool {
	if fits, made := fitsMade(hash, password); made {
		return fits
	}
	m := hmac.New(sha256.New, d.key)
	m.Write([]byte(hash))
	m.Write([]byte{0})
	m.Write([]byte(password))
	var v verdict
	m.Sum(v.mac[:0])
	d.mu.Lock()
	last, was := d.known[device]
	d.mu.Unlock()
	if was && subtle.ConstantTimeCompare(last.mac[:], v.mac[:]) == 1 {
		return last.ok
	}
	if v.ok = d.matches(hash, password); !v.ok && was && last.ok {
		return false // somebody guesses: the store's own password stays remembered
	}
	d.mu.Lock()
	d.known[device] = v
	d.mu.Unlock()
	return v.ok
}

// rights of a device: it speaks on its own topics and hears its own heads, which accounts it reads, what it shall be, and the hub's state. NATS writes topics with dots, and no part
// of ours holds one; none ends in "#", which would need a right of its own for the level above.
func rights(d retail.DeviceID) *server.Permissions {
	say := []string{subject(topic.Birth(d))}
	for _, s := range envelope.Streams {
		say = append(say, subject(topic.Up(d, s)), subject(topic.Hello(d, s)))
	}
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: say},
		Subscribe: &server.SubjectPermission{Allow: []string{subject(topic.Heads(d)), subject(topic.Poll(d)), subject(topic.Desired(d)), subject(topic.Hub()), deliveries}},
	}
}

// deliveries are the subjects by which nats-server hands QoS 1 messages to a subscription; it makes their names, no client can ask for one.
const deliveries = "$MQTT.sub.>"

// hubRights: the hub hears everything of ours and speaks heads, what devices shall do and be, and its own state.
var hubRights = &server.Permissions{
	Publish:   &server.SubjectPermission{Allow: []string{subject(topic.Head("+", "+")), subject(topic.Poll("+")), subject(topic.Desired("+")), subject(topic.Hub())}},
	Subscribe: &server.SubjectPermission{Allow: []string{subject(topic.AllUp), subject(topic.AllHellos), subject(topic.AllBirths), subject(topic.Hub()), deliveries}},
}

// subject is a topic or a filter as nats-server writes it.
func subject(t string) string { return strings.NewReplacer("/", ".", "+", "*").Replace(t) }

// printable keeps a stranger's name from writing into the log what it likes.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), 64)]
}
