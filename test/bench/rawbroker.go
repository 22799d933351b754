package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/tillpost/tillpost/hub/broker"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/topic"
	"github.com/tillpost/tillpost/test/line"
)

const (
	perBatch   = 100 // tickets, as the agent packs them in a drain
	atOnce     = 10  // batches on their way: an agent's window
	messages   = 500
	soonEnough = 30 * time.Second
)

// rawBroker is what the embedded broker carries when nothing is kept, decoded or acknowledged: the agent's batches from one client to
// another. Tickets per second.
func rawBroker(ctx context.Context, dir string) (float64, error) {
	b, err := broker.Start(ctx, broker.Options{Listen: "127.0.0.1:0", Dir: filepath.Join(dir, "raw")})
	if err != nil {
		return 0, err
	}
	defer b.Close()
	user, secret, _ := b.Own()
	from, err := client(b.URL(), "d1", "")
	if err != nil {
		return 0, err
	}
	defer from.Disconnect(0)
	to, err := client(b.URL(), user, secret)
	if err != nil {
		return 0, err
	}
	defer to.Disconnect(0)
	arrived := make(chan struct{}, messages)
	if err := done(to.Subscribe(topic.AllUp, 0, func(mqtt.Client, mqtt.Message) { arrived <- struct{}{} })); err != nil {
		return 0, err
	}
	payload := batch()
	window, begun := make(chan struct{}, atOnce), time.Now()
	go func() {
		for range messages {
			select {
			case window <- struct{}{}:
			case <-ctx.Done():
				return
			}
			from.Publish(topic.Up("d1", envelope.Sales), 0, false, payload)
		}
	}()
	for n := range messages {
		select {
		case <-arrived:
			<-window
		case <-time.After(soonEnough):
			return 0, fmt.Errorf("the bare broker delivered %d of %d batches", n, messages)
		}
	}
	return messages * perBatch / time.Since(begun).Seconds(), nil
}

// batch is one as an agent sends it.
func batch() []byte {
	var b envelope.Batch
	var prev envelope.Sum
	for i := range perBatch {
		d := line.Draft(i)
		e := envelope.Envelope{Device: "d1", Stream: d.Stream, Pos: envelope.Position{Seq: uint64(i + 1)}, Location: d.Location, Kind: d.Kind, Key: d.Key,
			ContentType: d.ContentType, At: d.At, Body: d.Body}.Seal(prev)
		b, prev = append(b, e), e.Sum
	}
	return envelope.NewCodec().Encode(b)
}

func client(url, user, secret string) (mqtt.Client, error) {
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID(user + "-bench").SetUsername(user).SetPassword(secret).
		SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).SetOrderMatters(true))
	return c, done(c.Connect())
}

func done(t mqtt.Token) error {
	if !t.WaitTimeout(soonEnough) {
		return errors.New("the bare broker does not answer")
	}
	return t.Error()
}
