//go:build !windows

package logs

// OpenEvents opens the system's event log under a name: elsewhere than on Windows the journal takes the console's words.
func OpenEvents(string) (Events, error) { return nil, nil }
