package buffer

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// maxName bounds a record's key and location. They stand in the head of each of its parts, and a part that does not fit into a payload would hold
// up everything behind it. A key is for lists and logs, and no location has so long a name; the body keeps both whole.
const maxName = 512

// named is a key or a location as it travels. One that is cut off stays another than one that begins alike.
func named[T ~string](s T) T {
	if len(s) <= maxName {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return T(strings.ToValidUTF8(string(s[:maxName-32]), "") + "…" + hex.EncodeToString(sum[:8]))
}
