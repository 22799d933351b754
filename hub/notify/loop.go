package notify

import (
	"context"
	"log/slog"

	"time"
)

// Every is how often is looked; a message goes within two minutes of its trouble.
const Every = 20 * time.Second

// tooMany notices at once would be noise: the rest follows in the next rounds.
const tooMany = 50

// Store keeps what is decided.
type Store interface {
	// Facts reads what may be wrong now.
	Facts(ctx context.Context) (Facts, error)
	// Decide gives the troubles that people believe to last to next and stores its answer, once per channel, in one transaction.
	Decide(ctx context.Context, channels []string, next func(told []Trouble) []Notice) error
	// Due returns what waits for a channel and may be tried now, oldest first.
	Due(ctx context.Context, channel string, most int) ([]Notice, error)
	// Sent notes what became of a try; a nil err ends it.
	Sent(ctx context.Context, channel, id string, err error) error
}

// Channel delivers. Send may be repeated with the same notice: it carries the notice's id, by which the other side knows it again.
type Channel interface {
	Name() string
	Send(ctx context.Context, n Notice) error
}

// Teller is the stage: one goroutine runs it.
type Teller struct {
	Store    Store
	Channels []Channel
	Log      *slog.Logger
}

// Run tells until ctx ends.
func (t *Teller) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := t.Step(ctx); err != nil && ctx.Err() == nil {
			t.Log.WarnContext(ctx, "cannot tell people what is wrong; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(Every):
		}
	}
	return nil
}

// Step decides, stores and then sends: what is stored is sent by whoever comes next, if this process does not live to do it.
func (t *Teller) Step(ctx context.Context) error {
	f, err := t.Store.Facts(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	wrong := Troubles(f, now)
	err = t.Store.Decide(ctx, t.names(), func(told []Trouble) []Notice { return Next(wrong, told, now) })
	if err != nil {
		return err
	}
	for _, c := range t.Channels {
		if err := t.send(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (t *Teller) names() (out []string) {
	for _, c := range t.Channels {
		out = append(out, c.Name())
	}
	return out
}

// send empties a channel's queue; a channel that does not work keeps its messages and holds up no other.
func (t *Teller) send(ctx context.Context, c Channel) error {
	due, err := t.Store.Due(ctx, c.Name(), tooMany)
	if err != nil {
		return err
	}
	for _, n := range due {
		sent := c.Send(ctx, n)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if sent != nil {
			t.Log.WarnContext(ctx, "cannot send a message; it is tried again", "channel", c.Name(), "notice", n.ID, "err", sent)
		} else {
			t.Log.InfoContext(ctx, "message sent", "channel", c.Name(), "notice", n.ID, "kind", n.Kind, "case", n.Key)
		}
		if err := t.Store.Sent(ctx, c.Name(), n.ID, sent); err != nil {
			return err
		}
	}
	return nil
}
