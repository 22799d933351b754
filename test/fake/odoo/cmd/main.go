// Command cmd runs the fake Odoo as a program, for tests of built binaries.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/tillpost/tillpost/test/fake/odoo"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address")
	version := flag.Int("version", 18, "17, 18 or 19")
	state := flag.String("state", "", "file that keeps the books over a kill")
	flag.Parse()
	s, err := odoo.New(odoo.Options{Version: *version, State: *state})
	if err == nil {
		err = serve(*listen, s)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func serve(addr string, h http.Handler) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", l.Addr())
	return (&http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}).Serve(l)
}
