// Command cmd is a card terminal to try things out with by hand: it listens on a loopback address and holds so many payments offline.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/tillpost/tillpost/test/fake/terminal"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "address")
	held := flag.Int("held", 0, "payments held offline")
	trouble := flag.String("trouble", "", "how it misbehaves: busy, garbage, …, as package terminal names it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	t, err := terminal.StartAt(ctx, *listen, time.Local, time.Now)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	t.BankLine(*held == 0)
	for n := range *held {
		t.Take(int64(1000+n), "Visa")
	}
	t.Misbehave(terminal.Trouble(*trouble))
	fmt.Println("a card terminal at", t.Address())
	<-ctx.Done()
}
