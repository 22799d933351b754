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

// Enrol redeems the code in a file at a hub: the PC's key and certificate are then in the data folder, and settings that name it where none
// were. It may be called again with the same code, whatever became of the call before.
func (a Agent) Enrol(ctx context.Context, hub, proxy, codeFile, data string) (g Granted, err error) {
	args := []string{"enrol", "--hub", hub, "--code-file", codeFile, "--data-dir", data}
	if proxy != "" {
		args = append(args, "--proxy", proxy)
	}
	return g, a.answer(ctx, slow, &g, args...)
}
