//go:build payload

package payload

import _ "embed" // the agent is part of this file

//go:embed agent.zst
var carried string
