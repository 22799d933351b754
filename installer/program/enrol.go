package program

import (
	"context"
)

// Granted is what the installer reads of `agent enrol`.
type Granted struct {
	Hub       string `json:"hub"`
	Device    string `json:"device"`
	Locations string `json:"locations"` // "S-17", or several with commas
}

// Enrol redeems a code at a hub: key, certificate and the lines of agent.toml that name the hub are then on this PC.
func (a Agent) Enrol(ctx context.Context, hub, code string) (g Granted, err error) {
	return g, a.answer(ctx, slow, &g, "enrol", "--hub", hub, "--code", code)
}
