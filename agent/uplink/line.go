package uplink

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/tillpost/tillpost/shared/envelope"
)

// upQoS is that of hellos and batches. Only the hub's head counts, so a broker's receipt is worth nothing here; measured on the embedded
// broker, QoS 1 costs each ticket 0.2 ms (the broker writes it to its disk) and its receipt on the way down.
const upQoS = 0

// options are those of one connection; lost hears its end.
func (u *Uplink) options(lost chan<- error) (*mqtt.ClientOptions, error) {
	secure := u.tls
	if u.o.Secure != nil {
		var err error
		if secure, err = u.o.Secure(); err != nil {
			return nil, err
		}
	}
	o := mqtt.NewClientOptions().AddBroker(u.o.URL).SetClientID(string(u.o.Device) + "-" + envelope.NewEpoch().String()[:16]).
		SetUsername(string(u.o.Device)).SetPassword(u.o.Password).
		SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true).
		SetKeepAlive(keepAlive).SetPingTimeout(10 * time.Second).SetConnectTimeout(connectTimeout).SetWriteTimeout(writeTimeout).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) {
			select {
			case lost <- err:
			default:
			}
		})
	if u.o.Dial != nil && secure != nil {
		o.SetCustomOpenConnectionFn(func(uri *url.URL, o mqtt.ClientOptions) (net.Conn, error) { return u.open(uri, o.TLSConfig) })
	}
	if secure != nil {
		o.SetTLSConfig(secure.Clone())
	}
	return o, nil
}

// open makes a line by Dial, with TLS on it from end to end.
func (u *Uplink) open(uri *url.URL, secure *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout) // paho gives none
	defer cancel()
	c, err := u.o.Dial(ctx, uri.Host)
	if err != nil {
		return nil, err
	}
	t := tls.Client(c, secure)
	if err := t.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return t, nil
}

// link publishes on one connection.
type link struct{ c mqtt.Client }

// Publish hands a message to the connection. It does not wait for the broker's receipt, which would prove nothing.
func (l *link) Publish(_ context.Context, topic string, payload []byte) error {
	if !l.c.IsConnectionOpen() {
		return mqtt.ErrNotConnected
	}
	t := l.c.Publish(topic, upQoS, false, payload)
	select {
	case <-t.Done():
		return t.Error()
	default:
		return nil
	}
}

// await never waits for ever: a token of a dying client may stay open.
func await(ctx context.Context, t mqtt.Token, d time.Duration) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return errors.New("the broker did not answer in time")
	}
}
