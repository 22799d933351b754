// Package topic is the only place that spells an MQTT topic. Topics hold the device and the stream, never a location code: codes are free
// text, and NATS refuses spaces and dots.
package topic

import (
	"strings"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

const root = "tp1/"

// Up carries batches of one stream from the agent to the hub.
func Up(d retail.DeviceID, s envelope.Stream) string {
	return root + "up/" + string(d) + "/" + string(s)
}

// Hello carries a stream's hello from the agent to the hub.
func Hello(d retail.DeviceID, s envelope.Stream) string {
	return root + "hello/" + string(d) + "/" + string(s)
}

// Head carries acks and answers of one stream from the hub to the agent; not retained.
func Head(d retail.DeviceID, s envelope.Stream) string {
	return root + "head/" + string(d) + "/" + string(s)
}

// Birth is the device's retained online state and its will.
func Birth(d retail.DeviceID) string { return root + "birth/" + string(d) }

// Poll is the hub's retained word to a device on which vendor accounts it reads.
func Poll(d retail.DeviceID) string { return root + "poll/" + string(d) }

// Desired is the hub's retained word to a device on what it shall be (package desired). Nobody but the hub may say it.
func Desired(d retail.DeviceID) string { return root + "desired/" + string(d) }

// Hub is the hub's retained online state and its will.
func Hub() string { return root + "hub" }

// Heads is what an agent subscribes to.
func Heads(d retail.DeviceID) string { return root + "head/" + string(d) + "/+" }

// Subscriptions of the hub.
const (
	AllUp     = root + "up/+/+"
	AllHellos = root + "hello/+/+"
	AllBirths = root + "birth/+"
)

// Parse takes a topic of Up, Hello, Head, Birth, Poll or Desired apart; kind is "up", "hello", "head", "birth", "poll" or "desired".
func Parse(t string) (kind string, d retail.DeviceID, s envelope.Stream, ok bool) {
	p := strings.Split(t, "/")
	if len(p) < 3 || p[0]+"/" != root || !retail.DeviceID(p[2]).Valid() {
		return "", "", "", false
	}
	if (p[1] == "birth" || p[1] == "poll" || p[1] == "desired") && len(p) == 3 {
		return p[1], retail.DeviceID(p[2]), "", true
	}
	if len(p) != 4 || (p[1] != "up" && p[1] != "hello" && p[1] != "head") {
		return "", "", "", false
	}
	return p[1], retail.DeviceID(p[2]), envelope.Stream(p[3]), true
}
