package uplink

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/topic"
)

// word is a message as a broker delivers it.
type word struct {
	mqtt.Message
	topic string
	body  []byte
	kept  bool
}

func (w word) Topic() string   { return w.topic }
func (w word) Payload() []byte { return w.body }
func (w word) Retained() bool  { return w.kept }

// TestAKeptWordJustBehindALiveOneIsTheOneBefore: the hub says what this PC reads in the moment in which it is asked for once more.
func TestAKeptWordJustBehindALiveOneIsTheOneBefore(t *testing.T) {
	var duty []bool
	u := &Uplink{o: Options{Device: "pc", Log: slog.New(slog.DiscardHandler), Polled: func(p envelope.Polls) { duty = append(duty, p.Accounts["a"].Read) }}}
	e := &ears{live: map[string]time.Time{}}
	hear := func(read, kept bool) {
		t.Helper()
		body, err := json.Marshal(envelope.Polls{Accounts: map[string]envelope.Duty{"a": {Read: read}}})
		if err != nil {
			t.Fatal(err)
		}
		u.deliver(t.Context(), word{topic: topic.Poll("pc"), body: body, kept: kept}, nil, e)
	}
	hear(false, true) // as this PC comes
	hear(true, false) // the hub says another
	hear(false, true) // what the broker still kept
	if len(duty) != 2 || !duty[1] {
		t.Fatalf("heard %v", duty)
	}
	e.live[topic.Poll("pc")] = time.Now().Add(-askSoon) // some minutes later: a live one may have been lost
	hear(false, true)
	if len(duty) != 3 || duty[2] {
		t.Errorf("later heard %v", duty)
	}
}
