package find

import (
	"os"
	"path/filepath"
)

// Roots are where a till's exports lie on this system, or in a folder that stands for one.
func Roots(system string) (out []string) {
	if system == "" {
		system = os.Getenv("SystemDrive") + `\`
	}
	for _, pattern := range []string{"Heartland*", "pcAmerica*", "POS*", "Exports", "Tillpost", `ProgramData\Heartland*`, `Users\*\Downloads`, `Users\*\Documents`, `Users\*\Desktop`} {
		more, _ := filepath.Glob(filepath.Join(system, pattern))
		out = append(out, more...)
	}
	return out
}
