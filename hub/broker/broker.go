// Package broker is the embedded MQTT broker (DESIGN D5): nats-server as a library with only its MQTT listener open. It carries and keeps
// nothing of worth: what a store sent is safe when the hub's database has it, never before. Who may connect and what a device may say or
// hear is decided here; see DESIGN.md.
package broker

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Passwords gives a device's password hash. Code not_found when the device is unknown or disabled.
type Passwords interface {
	Password(ctx context.Context, d retail.DeviceID) (hash string, err error)
}

// Certificates says whether the holder of a certificate may come in now. Code conflict: not, and the text says why.
type Certificates interface {
	Admit(ctx context.Context, c authority.Certificate) error
}

// Options say where to listen and whom to let in.
type Options struct {
	Listen    string // host:port; port 0 takes a free one
	Dir       string // scratch space of the broker, emptied at each start
	TLS       *tls.Config
	Passwords Passwords                        // nil: loopback only, every well-formed device name is let in
	Matches   func(hash, password string) bool // required with Passwords
	// Authority signs the certificates of devices; nil: there are none. Certificates is required with it, and so is TLS.
	Authority    *authority.Authority
	Certificates Certificates
	Log          *slog.Logger
}

// Limits of one connection and of all.
const (
	maxPayload  = 256 << 10 // twice the largest batch
	maxPending  = 256 << 20 // bytes that may wait for the hub's own link before it counts as dead
	maxStore    = 1 << 30   // scratch space on disk
	maxInFlight = 4096      // QoS 1 messages that wait for the hub's receipt
	readyIn     = 20 * time.Second
	handshakeIn = 10 // seconds, for TLS and for the first packet
	neverSync   = 24 * time.Hour
	// sessionIn is how long a client that comes may wait for its turn at the broker's own records. An agent waits for 15 s; turned away sooner, a
	// fleet that comes back to a busy machine would come again and again and never be in.
	sessionIn = 14 * time.Second
)

// HubUser is the name under which the hub's own link comes in. No device can have it.
const HubUser = "$hub"

// Broker is a running broker. It is safe for concurrent use.
type Broker struct {
	srv    *server.Server
	door   *door
	addr   *net.TCPAddr
	secure *tls.Config
}

// Start opens the listener and returns once it takes connections. Code invalid: the options would let strangers read or write; code
// unavailable: the address is taken.
func Start(ctx context.Context, o Options) (*Broker, error) {
	addr, err := o.check()
	if err != nil {
		return nil, err
	}
	// What lies here is of a time before: retained states are told anew, everything else is sent anew. A store that a power cut damaged
	// must not keep the hub from starting.
	scratch := filepath.Join(o.Dir, "broker")
	if err := errors.Join(os.RemoveAll(scratch), os.MkdirAll(scratch, 0o700)); err != nil {
		return nil, fault.New(fault.Internal, "start broker: prepare "+scratch, err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Authority != nil {
		o.TLS = o.TLS.Clone()
		o.TLS.ClientAuth, o.TLS.ClientCAs = tls.VerifyClientCertIfGiven, o.Authority.Pool()
	}
	b := &Broker{door: newDoor(ctx, o, addr.IP.IsLoopback()), addr: addr, secure: o.TLS}
	opts := b.serverOptions(scratch, addr, o.TLS)
	if b.srv, err = server.NewServer(opts); err != nil {
		return nil, fault.New(fault.Invalid, "start broker", err)
	}
	b.srv.SetLoggerV2(logger{o.Log}, false, false, false)
	go b.srv.Start()
	if !b.srv.ReadyForConnections(readyIn) {
		b.Close()
		return nil, fault.Msg(fault.Unavailable, "start broker", "it did not open "+o.Listen+"; the log says why. Sales wait at the stores meanwhile.")
	}
	addr.Port = opts.MQTT.Port // the one that was taken, when 0 was asked for
	o.Log.InfoContext(ctx, "the broker takes connections", "address", b.URL())
	return b, nil
}

// check refuses what would expose sales: an address that others reach needs TLS 1.2 or newer and a password per device.
func (o *Options) check() (*net.TCPAddr, error) {
	addr, err := net.ResolveTCPAddr("tcp", o.Listen)
	if err != nil {
		return nil, fault.New(fault.Invalid, "start broker: read its address", err)
	}
	if addr.IP == nil {
		addr.IP = net.IPv4zero
	}
	if !addr.IP.IsLoopback() {
		switch {
		case o.TLS == nil || (len(o.TLS.Certificates) == 0 && o.TLS.GetCertificate == nil):
			return nil, refuse(o.Listen, "has no certificate: set the broker's TLS certificate and key")
		case o.Passwords == nil:
			return nil, refuse(o.Listen, "asks no device for a password: give each device one with \"hub device add\"")
		}
	}
	if o.TLS != nil && o.TLS.MinVersion < tls.VersionTLS12 {
		return nil, refuse(o.Listen, "would speak a TLS older than 1.2: set the lowest version to 1.2")
	}
	if o.Authority != nil && (o.TLS == nil || o.Certificates == nil || o.Passwords == nil) {
		return nil, fault.Msg(fault.Internal, "start broker", "certificates need TLS, and somebody who knows which of them and which passwords hold")
	}
	if o.Passwords != nil && o.Matches == nil {
		return nil, fault.Msg(fault.Internal, "start broker", "nothing compares passwords")
	}
	if addr.Port != 0 { // nats-server only logs that an address is taken
		l, err := net.Listen("tcp", addr.String())
		if err != nil {
			return nil, fault.New(fault.Unavailable, "start broker: another program may hold the address", err)
		}
		l.Close()
	}
	return addr, nil
}

func refuse(listen, why string) error {
	return fault.Msg(fault.Invalid, "start broker", fmt.Sprintf("refused: %s can be reached from other machines and %s. Or listen on 127.0.0.1.", listen, why))
}

func (b *Broker) serverOptions(scratch string, addr *net.TCPAddr, secure *tls.Config) *server.Options {
	port := addr.Port
	if port == 0 {
		port = -1
	}
	o := &server.Options{
		ServerName: "tillpost", DontListen: true, NoSigs: true, MaxPayload: maxPayload, MaxPending: maxPending,
		JetStream: true, StoreDir: scratch, JetStreamMaxStore: maxStore, JetStreamMaxMemory: 256 << 20,
		SyncInterval:               neverSync, // durability is the database's work; nothing here outlives a start
		CustomClientAuthentication: b.door,
		MQTT: server.MQTTOpts{Host: addr.IP.String(), Port: port, TLSConfig: secure, AuthTimeout: handshakeIn, TLSTimeout: handshakeIn,
			MaxAckPending: maxInFlight, ConsumerMemoryStorage: true, JSAPITimeout: sessionIn},
	}
	return o
}

// URL is where the hub's own link connects.
func (b *Broker) URL() string {
	scheme, ip := "mqtt", b.addr.IP
	if b.secure != nil {
		scheme = "mqtts"
	}
	if ip.IsUnspecified() {
		ip = net.IPv4(127, 0, 0, 1)
	}
	return scheme + "://" + net.JoinHostPort(ip.String(), strconv.Itoa(b.addr.Port))
}

// Own is what the hub's own link needs: name, password of this run, and a TLS configuration that accepts exactly this broker's certificate,
// whatever name is on it.
func (b *Broker) Own() (user, password string, secure *tls.Config) {
	if b.secure == nil {
		return HubUser, b.door.own, nil
	}
	return HubUser, b.door.own, &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, VerifyConnection: b.sameCertificate} //nolint:gosec // pinned
}

func (b *Broker) sameCertificate(cs tls.ConnectionState) error {
	mine := b.secure.Certificates
	if b.secure.GetCertificate != nil {
		c, err := b.secure.GetCertificate(&tls.ClientHelloInfo{ServerName: cs.ServerName})
		if err != nil {
			return err
		}
		mine = []tls.Certificate{*c}
	}
	for _, c := range mine {
		if len(c.Certificate) > 0 && len(cs.PeerCertificates) > 0 && string(c.Certificate[0]) == string(cs.PeerCertificates[0].Raw) {
			return nil
		}
	}
	return errors.New("another program answers on the broker's address")
}

// Connections is how many clients are connected, the hub's own link among them.
func (b *Broker) Connections() int { return b.srv.NumClients() }

// Close ends all connections and waits for the broker's end. Stores keep what the hub has not confirmed.
func (b *Broker) Close() {
	b.srv.Shutdown()
	b.srv.WaitForShutdown()
}

func randomText() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}
