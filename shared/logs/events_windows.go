package logs

import "golang.org/x/sys/windows/svc/eventlog"

// OpenEvents opens the system's event log under a name.
func OpenEvents(name string) (Events, error) { return eventlog.Open(name) }
