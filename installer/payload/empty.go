//go:build !payload

package payload

// carried is empty: the agent lies beside the installer.
const carried = ""
