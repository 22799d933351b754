package broker

import (
	"errors"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Drop ends a device's connections: it must come in again, with what holds now. Call it when a password changed, a certificate ended or a
// device was disabled. Connections that show a certificate whose SHA-256, in hex, is in keep stay.
func (b *Broker) Drop(d retail.DeviceID, keep ...string) error {
	all, err := b.connections(string(d))
	if err != nil {
		return err
	}
	for _, c := range all {
		if len(c.TLSPeerCerts) > 0 && slices.Contains(keep, c.TLSPeerCerts[0].CertSha256) {
			continue
		}
		err = errors.Join(err, b.srv.DisconnectClientByID(c.Cid))
	}
	return fault.New(fault.Internal, "end the connections of device "+string(d), err)
}

// connections lists those of a device, or all.
func (b *Broker) connections(device string) ([]*server.ConnInfo, error) {
	z, err := b.srv.Connz(&server.ConnzOptions{Username: true, User: device, Limit: 20_000})
	if err != nil {
		return nil, fault.New(fault.Internal, "list the connections", err)
	}
	return z.Conns, nil
}

// Twin is a device that is there twice: two connections of it are alive at once.
type Twin struct {
	Device retail.DeviceID
	First  string // address of the older connection
	Second string
}

// aliveTogether is how long two connections of a device must stand together. A PC whose line broke leaves one behind; the broker ends it when
// it has said nothing for one and a half keep-alives, which are 30 s.
const aliveTogether = 75 * time.Second

// Twins lists devices of which two PCs are connected: a copied disk, or a certificate in two places.
func (b *Broker) Twins() ([]Twin, error) {
	all, err := b.connections("")
	if err != nil {
		return nil, err
	}
	return twins(all, time.Now()), nil
}

func twins(all []*server.ConnInfo, now time.Time) (out []Twin) {
	slices.SortFunc(all, func(a, b *server.ConnInfo) int { return a.Start.Compare(b.Start) })
	oldest := map[string]*server.ConnInfo{}
	for _, c := range all {
		if now.Sub(c.Start) < aliveTogether || !retail.DeviceID(c.AuthorizedUser).Valid() {
			continue
		}
		first := oldest[c.AuthorizedUser]
		if first == nil {
			oldest[c.AuthorizedUser] = c
			continue
		}
		out = append(out, Twin{Device: retail.DeviceID(c.AuthorizedUser), First: address(first), Second: address(c)})
	}
	return out
}

func address(c *server.ConnInfo) string { return net.JoinHostPort(c.IP, strconv.Itoa(c.Port)) }
