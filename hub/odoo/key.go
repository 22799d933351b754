package odoo

import (
	"context"
	"fmt"
	"time"
)

// KeyWarn is how long before its end a key is a case: renewing it needs a person with a login in Odoo, and people are away for a week.
const KeyWarn = 14 * 24 * time.Hour

// KeyEnd is when the API key ends.
type KeyEnd struct {
	Known bool      `json:"known"`          // false: Odoo does not say, and neither do the settings
	At    time.Time `json:"ends,omitzero"`  // zero = never
	Name  string    `json:"name,omitempty"` // as it was called when it was made, "" = not known
	Keys  int       `json:"keys,omitempty"` // how many the user has: which of them is used, Odoo does not say
}

// Soon reports whether somebody should renew it now.
func (k KeyEnd) Soon(now time.Time) bool { return k.Known && !k.At.IsZero() && k.At.Sub(now) < KeyWarn }

// String words it for people, without the days that are left: the sentence is the same every day.
func (k KeyEnd) String() string {
	switch {
	case !k.Known:
		return "Odoo does not say when the API key ends: odoo.key_expires in the settings may"
	case k.At.IsZero():
		return "the API key does not end"
	}
	name := "the API key"
	if k.Name != "" {
		name = fmt.Sprintf("the API key %q", k.Name)
	}
	s := fmt.Sprintf("%s ends on %s", name, k.At.UTC().Format(time.DateOnly))
	if k.Keys > 1 {
		s += fmt.Sprintf("; the user has %d and Odoo does not say which is used: delete in Odoo those that are not, or set odoo.key_expires", k.Keys)
	}
	return s
}

// KeyEnds finds out when the key ends: by the settings, else as Odoo lets every user read of his own keys. In 17 keys have no end. Of several
// keys the one that ends first counts: a warning too early costs a look, one too late costs the posting. Every error is an *Error.
func KeyEnds(ctx context.Context, c *Client) (k KeyEnd, err error) {
	if c.cfg.KeyEnds != nil {
		return KeyEnd{Known: true, At: *c.cfg.KeyEnds}, nil
	}
	v, err := c.Version(ctx)
	if err != nil {
		return k, err
	}
	if v.Major < 18 {
		return KeyEnd{Known: true}, nil
	}
	uid, _, err := c.Login(ctx)
	if err != nil {
		return k, err
	}
	got, err := c.search(ctx, "res.users.apikeys", []any{[]any{"user_id", "=", uid}}, []string{"name", "scope", "expiration_date"}, nil)
	switch KindOf(err) {
	case "":
	case Away, Busy, Denied:
		return k, err
	default: // not allowed, or a version that keeps its keys elsewhere
		return k, nil
	}
	for _, m := range got {
		if scope := text(m["scope"]); scope != "" && scope != "rpc" {
			continue // of the mail plugin, for one
		}
		k.Keys++
		k.Known = true
		at, err := time.Parse(time.DateTime, text(m["expiration_date"])) // UTC, as Odoo keeps every time
		if err == nil && (k.At.IsZero() || at.Before(k.At)) {
			k.At, k.Name = at, text(m["name"])
		}
	}
	return k, nil
}
