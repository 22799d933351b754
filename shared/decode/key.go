package decode

import (
	"encoding/json"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// Keyed reports whether Key can tell whose records of a kind are. Those of the others are known by the vendor's own id, the envelope's key.
func Keyed(kind envelope.Kind) bool { return kind == Ticket || kind == Rows || kind == Drawer }

// Key is whose record a body is that Decode refuses, as far as it tells: a number alone may be several tickets', of two tills or of two days.
// It is zero when nobody can say.
func (d Decoder) Key(kind envelope.Kind, body []byte) (k retail.Key) {
	switch kind {
	case Ticket:
		return retail.TicketKey(body)
	case Drawer:
		var x struct {
			Key retail.Key `json:"key"`
		}
		_ = json.Unmarshal(body, &x) // what cannot be read says nothing
		k = x.Key
	case Rows:
		var r profile.Rows
		if json.Unmarshal(body, &r) != nil {
			return k
		}
		if p, err := d.profile(r.Profile, r.Version); err == nil {
			k, _ = p.Whose(r)
		}
	}
	if k.ID == "" {
		return retail.Key{}
	}
	return k
}
