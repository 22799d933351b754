// Command agent is Tillpost's service in a store.
package main

import (
	"os"
	_ "time/tzdata" // Windows has no time zones of its own

	"github.com/tillpost/tillpost/agent/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) }
