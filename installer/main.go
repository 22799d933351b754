// Command installer puts the agent on a store's PC: one file, a few questions or none. All of it is in installer/app.
package main

import (
	"os"
	_ "time/tzdata" // Windows has no time zones of its own

	"github.com/tillpost/tillpost/installer/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
