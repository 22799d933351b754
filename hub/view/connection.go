package view

import (
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/retail"
)

// ConnectionView is a connection to another system: of a store's agent, or with an empty Device the hub's own.
type ConnectionView struct {
	Device retail.DeviceID
	breaker.Status
	Told time.Time
}
