package envelope

import (
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// HubID names one hub database. An agent obeys only the hub it enrolled with.
type HubID string

// Hello opens a connection of one stream: the agent tells what it holds, the hub answers with its head (DESIGN D2).
type Hello struct {
	Nonce   string          `json:"nonce"`
	Device  retail.DeviceID `json:"device"`
	Stream  Stream          `json:"stream"`
	Epoch   Epoch           `json:"epoch"`
	Oldest  uint64          `json:"oldest"` // first sequence that the buffer still holds, 0 = none
	Last    uint64          `json:"last"`   // last sequence of the epoch, 0 = nothing was ever appended
	LastSum Sum             `json:"last_sum"`
	Acked   uint64          `json:"acked"` // as far as the agent knows
	Version string          `json:"version,omitempty"`
}

// Verdict is what the hub says of a stream.
type Verdict string

const (
	OK      Verdict = "ok"
	Resend  Verdict = "resend"  // a gap, damage or a broken chain: send again from the head
	Fork    Verdict = "fork"    // the position is held by another envelope: a cloned or restored PC. Open a new epoch.
	Stopped Verdict = "stopped" // the same damage three times: the stream waits for a person
	Refused Verdict = "refused" // the device is unknown, disabled or belongs to another hub
)

// Head is the hub's word on a stream: everything up to Seq is committed. As an ack it has no Nonce; as the answer to a Hello it repeats
// the agent's nonce, and only then may it move the agent's head down.
type Head struct {
	Hub     HubID           `json:"hub"`
	Nonce   string          `json:"nonce,omitempty"`
	Device  retail.DeviceID `json:"device"`
	Stream  Stream          `json:"stream"`
	Epoch   Epoch           `json:"epoch"`
	Seq     uint64          `json:"seq"` // 0: the hub holds nothing of this epoch
	Sum     Sum             `json:"sum"`
	Verdict Verdict         `json:"verdict"`
	Why     string          `json:"why,omitempty"`
	At      time.Time       `json:"at,omitzero"` // the hub's clock when it spoke
}

// End is the body of an epoch's first row when it follows another.
type End struct {
	Epoch Epoch  `json:"epoch"` // the one that ended; zero when it could not be read
	Last  uint64 `json:"last"`
	Acked uint64 `json:"acked"`
	Lost  uint64 `json:"lost"` // rows behind Acked that could not be read any more
	Why   string `json:"why"`
}

// Birth is a device's retained online state; its will says Online = false.
type Birth struct {
	Online  bool      `json:"online"`
	Version string    `json:"version,omitempty"`
	At      time.Time `json:"at,omitzero"`     // when it connected, by its own clock
	Polls   []Poll    `json:"polls,omitempty"` // the vendor accounts that it could read

	Platform string `json:"platform,omitempty"` // "windows/amd64"
	Sources  string `json:"sources,omitempty"`  // kinds of what it reads, sorted, "filedrop localapi"
}

// Poll is a vendor account that a device could read.
type Poll struct {
	Tenant string `json:"tenant"`
	Whole  bool   `json:"whole"` // all of its locations, as a device beside the hub does
}

// Polls is the hub's word to a device, retained: which accounts it reads now. One device reads an account at a time.
type Polls struct {
	Hub      HubID           `json:"hub"`
	Accounts map[string]Duty `json:"accounts"` // by tenant
}

// Duty is what a device does with one account.
type Duty struct {
	Read bool   `json:"read"`
	Why  string `json:"why,omitempty"`  // why not
	Wake int64  `json:"wake,omitempty"` // another number than before: look now, there may be news
}

// HubState is the hub's retained online state; its will says Online = false. A changed Since means that the hub was away.
type HubState struct {
	Hub    HubID     `json:"hub"`
	Online bool      `json:"online"`
	Since  time.Time `json:"since,omitzero"`
}
