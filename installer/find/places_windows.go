package find

import (
	"os"
	"path/filepath"
)

// Roots are where a till's exports lie on this system.
func Roots() (out []string) {
	drive := os.Getenv("SystemDrive") + `\`
	for _, pattern := range []string{"Heartland*", "pcAmerica*", "POS*", "Exports", "Tillpost", `ProgramData\Heartland*`, `Users\*\Downloads`, `Users\*\Documents`, `Users\*\Desktop`} {
		more, _ := filepath.Glob(filepath.Join(drive, pattern))
		out = append(out, more...)
	}
	return out
}
