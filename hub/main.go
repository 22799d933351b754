// Command hub is Tillpost's centre beside Odoo.
package main

import (
	"os"

	"github.com/tillpost/tillpost/hub/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) }
