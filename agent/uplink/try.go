package uplink

import (
	"context"
	"encoding/json"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/topic"
)

// hubWait is how long a retained state may take after the subscription.
const hubWait = 3 * time.Second

// Try connects once beside whatever else runs, with the device's own rights, and looks whether the hub is there. It leaves nothing behind: no
// birth, no will. An error is the broker's: it does not answer, or refuses the device.
func Try(ctx context.Context, o Options) (hub envelope.HubState, err error) {
	u, err := New(o, nil)
	if err != nil {
		return hub, err
	}
	lost := make(chan error, 1)
	opts, err := u.options(lost)
	if err != nil {
		return hub, err
	}
	c := mqtt.NewClient(opts)
	defer c.Disconnect(100)
	if err := await(ctx, c.Connect(), connectTimeout); err != nil {
		return hub, fault.New(fault.Unavailable, "connect to the hub", err)
	}
	said := make(chan envelope.HubState, 1)
	sub := c.Subscribe(topic.Hub(), 1, func(_ mqtt.Client, m mqtt.Message) {
		var h envelope.HubState
		if json.Unmarshal(m.Payload(), &h) == nil {
			select {
			case said <- h:
			default:
			}
		}
	})
	if err := await(ctx, sub, connectTimeout); err != nil {
		return hub, fault.New(fault.Unavailable, "listen to the hub", err)
	}
	select {
	case hub = <-said:
		return hub, nil
	case err := <-lost:
		return hub, fault.New(fault.Unavailable, "listen to the hub", err)
	case <-ctx.Done():
		return hub, ctx.Err()
	case <-time.After(hubWait):
		return hub, nil // a broker without a hub behind it
	}
}
