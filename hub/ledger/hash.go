package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// VersionOf is what Supersede compares of a ticket or drawer event. The hash is of the canonical record: where it was read (Origin) and
// how good the source is (Rank) are not part of it, so that a file and an API that say the same are one version.
func VersionOf(r retail.Record, day retail.BusinessDate) (Version, error) {
	switch x := r.(type) {
	case retail.Ticket:
		v := Version{Revision: x.Revision, Rank: x.Rank, Location: x.Location, Till: x.Till, Day: day, Void: x.Kind == retail.Void}
		x.Origin, x.Rank, x.Rounded = retail.Origin{}, 0, ""
		body, err := retail.EncodeTicket(x)
		v.Hash = digest(body)
		return v, fault.New(fault.Internal, "hash ticket", err)
	case retail.Drawer:
		v := Version{Revision: x.Revision, Rank: x.Rank, Location: x.Location, Till: x.Till, Day: day}
		x.Rank = 0
		body, err := json.Marshal(x)
		v.Hash = digest(body)
		return v, fault.New(fault.Internal, "hash drawer event", err)
	}
	return Version{}, fault.Msg(fault.Internal, "hash record", "only tickets and drawer events have versions")
}

func digest(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
