// Command hub is Tillpost's centre beside Odoo.
package main

import (
	"os"
	_ "time/tzdata" // a container may have no time zones of its own, nor know any authority

	_ "golang.org/x/crypto/x509roots/fallback"

	"github.com/tillpost/tillpost/hub/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) }
