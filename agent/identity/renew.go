package identity

import (
	"context"
	"crypto/tls"
	"net/url"
	"time"

	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
)

// Renew asks the hub for a new certificate, for a new key, and makes it the PC's. Until the PC comes in with it the hub takes the old one,
// too, so that it may be killed anywhere: the next call asks with the same key and gets the same certificate. Codes: unavailable (later),
// conflict (the hub gives this PC none: it was revoked or replaced), not_found (it was never enrolled).
func (s Store) Renew(ctx context.Context) (id Identity, err error) {
	err = s.locked(ctx, func() error {
		was, err := s.Read()
		if err != nil {
			return err
		}
		hub, err := url.Parse(was.HubURL)
		if err != nil {
			return fault.New(fault.Invalid, "read the hub's address", err)
		}
		shown, err := s.pair(was)
		if err != nil {
			return err
		}
		key, err := s.nextKey(was.Key)
		if err != nil {
			return err
		}
		failpoint.Hit("renew.key")
		csr, err := request(key)
		if err != nil {
			return err
		}
		g, err := s.askAgain(ctx, hub, was, shown, enrol.Ask{CSR: csr})
		if err != nil {
			return err
		}
		if g.Device != was.Device || g.Hub != was.Hub || g.CA != was.CA {
			return fault.Msg(fault.Conflict, "renew", "the hub answers as another one, or for another device; the certificate in use stays")
		}
		failpoint.Hit("renew.write")
		if id, err = s.accept(g, hub, key, Identity{CodeSum: was.CodeSum, Proxy: was.Proxy, ReleaseRoot: was.ReleaseRoot}); err != nil {
			return err
		}
		failpoint.Hit("renew.written")
		return s.dropPending(id)
	})
	return id, err
}

func (s Store) askAgain(ctx context.Context, hub *url.URL, was Identity, shown tls.Certificate, ask enrol.Ask) (g enrol.Grant, err error) {
	ctx, cancel := context.WithTimeout(ctx, askIn)
	defer cancel()
	c, err := s.shows(ctx, hub, was, shown)
	if err != nil {
		return g, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	err = post(ctx, c, hub, enrol.PathRenew, ask, &g)
	failpoint.Hit("renew.answer")
	return g, err
}

// Keeper renews in time while the agent runs.
type Keeper struct {
	Store   Store
	Renewed func(Identity)                  // the line is to be made anew with the new certificate
	Told    func(err error, ends time.Time) // how the last attempt went; err nil = well
	Now     func() time.Time

	next time.Time
	wait time.Duration
}

const (
	retryFirst = time.Minute
	retryMost  = time.Hour
)

// Step looks once, and renews when a third of the life or less is left. It returns when to look again at the latest.
func (k *Keeper) Step(ctx context.Context) (again time.Duration) {
	now := k.Now()
	id, err := k.Store.Read()
	if err != nil {
		k.Told(err, time.Time{})
		return retryFirst
	}
	renew, ends, err := id.Ends()
	if err != nil {
		k.Told(err, time.Time{})
		return retryFirst
	}
	if now.Before(renew) {
		k.Told(nil, ends)
		return min(renew.Sub(now)+time.Millisecond, retryMost)
	}
	if now.Before(k.next) {
		return k.next.Sub(now)
	}
	return k.Ask(ctx)
}

// Ask asks now, whatever is left: the hub turned the PC away, and its answer gives a new certificate or tells why not. It returns when to
// step again.
func (k *Keeper) Ask(ctx context.Context) (again time.Duration) {
	now := k.Now()
	id, err := k.Store.Renew(ctx)
	if err == nil {
		renew, ends, _ := id.Ends() // it was checked before it was written
		// A clock that is years ahead would ask without end.
		k.next, k.wait = now.Add(min(retryMost, ends.Sub(renew)/2)), 0
		k.Told(nil, ends)
		k.Renewed(id)
		return time.Millisecond
	}
	if ctx.Err() != nil {
		return retryFirst
	}
	was, rerr := k.Store.Read()
	renew, ends, eerr := was.Ends()
	if rerr != nil || eerr != nil {
		renew, ends = now, now.Add(10*retryFirst)
	}
	k.Told(err, ends)
	k.wait = min(max(2*k.wait, min(retryFirst, ends.Sub(renew)/10)), retryMost)
	k.next = now.Add(k.wait)
	return k.wait
}
