package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/health"
	"github.com/tillpost/tillpost/shared/mode"
)

// connection is one line to another system, as the app watches and shows it.
type connection struct {
	status  func() breaker.Status
	retry   func()
	mode    mode.Mode         // of the other side, where the status does not say
	secrets []string          // files with its key: when one changes, a refused connection is asked again
	down    *health.Condition // what a store manager reads when it rests; nil = connectionDown
	check   func(context.Context) error

	changed string // how the secret files stood last
}

// of makes a connection of a breaker.
func of(b *breaker.Breaker, c connection) connection {
	c.status, c.retry = b.Status, b.Retry
	return c
}

// connect puts a source's connection on the list: from then on it is shown, told to the hub and watched.
func (a *App) connect(c connection) {
	c.changed = stamps(c.secrets)
	a.connections = append(a.connections, &c)
}

// now is how the connection stands.
func (c *connection) now() breaker.Status {
	s := c.status()
	if s.Mode == mode.Unknown {
		s.Mode = c.mode
	}
	return s
}

// Connections lists how every connection stands, by name.
func (a *App) Connections() []breaker.Status {
	out := make([]breaker.Status, 0, len(a.connections))
	for _, c := range a.connections {
		out = append(out, c.now())
	}
	slices.SortFunc(out, func(x, y breaker.Status) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

// Retry lets a refused connection be asked again. Code not_found.
func (a *App) Retry(name string) error {
	for _, c := range a.connections {
		if c.status().Name == name {
			c.retry()
			return nil
		}
	}
	names := make([]string, 0, len(a.connections))
	for _, s := range a.Connections() {
		names = append(names, s.Name)
	}
	return fault.Msg(fault.NotFound, "retry connection", "there is no connection "+name+"; these there are: "+strings.Join(names, ", "))
}

// modeOf is what the records of a source are marked with.
func (a *App) modeOf(s source.Source) mode.Mode {
	for _, c := range a.connections {
		if st := c.now(); st.Name == s.Name() {
			return st.Mode
		}
	}
	return mode.Unknown
}

// unmixed refuses a start with test and production side by side. Code invalid.
func (a *App) unmixed() error {
	modes := map[string]mode.Mode{}
	for _, s := range a.Connections() {
		modes[s.Name] = s.Mode
	}
	if words := mixture(modes); words != "" {
		return fault.Msg(fault.Invalid, "start", words)
	}
	return nil
}

// mixture says which connections must not stand side by side, "" when all is well.
func mixture(modes map[string]mode.Mode) string {
	by := map[mode.Mode][]string{}
	for name, m := range modes {
		by[m] = append(by[m], name)
	}
	if len(by[mode.Test]) == 0 || len(by[mode.Production]) == 0 {
		return ""
	}
	slices.Sort(by[mode.Test])
	slices.Sort(by[mode.Production])
	return fmt.Sprintf("%s is of a test system and %s of a real one: test sales would stand in the books beside real ones; give each an agent of its own, or correct the key or address",
		strings.Join(by[mode.Test], ", "), strings.Join(by[mode.Production], ", "))
}

// lookConnections sets the conditions and lets a refused connection be asked again when its key has changed.
func (a *App) lookConnections(now time.Time) {
	a.looking.Lock()
	defer a.looking.Unlock()
	for _, c := range a.connections {
		s := c.now()
		if is := stamps(c.secrets); is != c.changed {
			c.changed = is
			c.retry()
		}
		a.condition(connectionRefused, s.Name, s.State == breaker.Refused, s.Reason, now)
		down := c.down
		if down == nil {
			down = connectionDown
		}
		a.condition(down, s.Name, s.State == breaker.Open || s.State == breaker.HalfOpen, s.Reason, now)
	}
}

// condition sets or clears a connection's own copy of a condition: one that works again does not hide another.
func (a *App) condition(kind *health.Condition, name string, set bool, detail string, now time.Time) {
	if a.conditions == nil {
		a.conditions = map[string]*health.Condition{}
	}
	key := kind.Code + ":" + name
	c, known := a.conditions[key]
	switch {
	case !set && known:
		a.Health.Clear(c)
	case set:
		if !known {
			one := *kind
			one.Code = key
			c = &one
			a.conditions[key] = c
		}
		a.Health.Set(c, name+": "+detail, now)
	}
}

// stamps is a short text of how files stand; a file that cannot be read counts as it is.
func stamps(files []string) string {
	var b strings.Builder
	for _, f := range files {
		if st, err := os.Stat(f); err == nil {
			fmt.Fprintf(&b, "%s %d %d;", f, st.Size(), st.ModTime().UnixNano())
		}
	}
	return b.String()
}

// tellReason is when a connection whose reason alone has changed is told again: reasons hold port numbers.
const tellReason = 15 * time.Minute

// connectionsName is the name under which the buffer remembers what the hub was told of connections.
const connectionsName = "connections"

// tellConnections appends the list to the state stream when it is another than the one told last, by this process or an earlier one.
func (a *App) tellConnections(ctx context.Context, now time.Time) {
	list := a.Connections()
	told, err := a.Buffer.Cursor(ctx, connectionsName)
	if err != nil || len(list) == 0 && told == "" {
		return
	}
	states, reasons := sha256.New(), sha256.New()
	for i, s := range list {
		if s.State == breaker.HalfOpen {
			list[i].State = breaker.Open // a probe under way is no news
		}
		fmt.Fprintf(states, "%q %q %q\n", s.Name, list[i].State, s.Mode)
		fmt.Fprintf(reasons, "%q\n", s.Reason)
	}
	is := hex.EncodeToString(states.Sum(nil)[:8]) + " " + hex.EncodeToString(reasons.Sum(nil)[:8])
	was := string(told)
	same, _, _ := strings.Cut(was, " ")
	if is == was || strings.HasPrefix(is, same+" ") && now.Sub(a.connectionsTold) < tellReason {
		return
	}
	body, err := json.Marshal(list)
	if err != nil {
		return
	}
	d := source.Draft{Stream: envelope.State, Kind: decode.Connections, Key: connectionsName, ContentType: "application/json", At: now, Body: body}
	if err := a.Buffer.Append(ctx, connectionsName, source.Cursor(is), []source.Draft{d}); err == nil { // else the disk is full, and it is told later
		a.connectionsTold = now
	}
}
