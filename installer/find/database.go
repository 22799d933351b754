package find

import (
	"context"
	"net"
	"slices"
	"strings"
	"time"
)

// browserPort is where SQL Server tells its instances (SQL Server Browser).
const browserPort = "1434"

// Instance is a SQL Server instance.
type Instance struct {
	Host string
	Name string
}

// PCAmerica reports an instance that pcAmerica's installer makes.
func (i Instance) PCAmerica() bool { return strings.Contains(strings.ToLower(i.Name), "pcamerica") }

// Instances asks SQL Server's browser at hosts, such as this PC and the network's broadcast address, and waits a second for answers.
func Instances(ctx context.Context, hosts ...string) (out []Instance) {
	c, err := net.ListenPacket("udp4", ":0")
	if err != nil {
		return nil
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	for _, h := range hosts {
		if !strings.Contains(h, ":") {
			h = net.JoinHostPort(h, browserPort)
		}
		if to, err := net.ResolveUDPAddr("udp4", h); err == nil {
			_, _ = c.WriteTo([]byte{0x02}, to) // nobody there: nothing comes back
		}
	}
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	for b := make([]byte, 64<<10); ; {
		n, _, err := c.ReadFrom(b)
		if err != nil {
			return out
		}
		for _, i := range parseInstances(b[:n]) {
			if !slices.Contains(out, i) {
				out = append(out, i)
			}
		}
	}
}

// parseInstances reads an answer: a 5, a length, and name;value pairs with an empty one between instances.
func parseInstances(b []byte) (out []Instance) {
	if len(b) < 3 || b[0] != 0x05 {
		return nil
	}
	for block := range strings.SplitSeq(string(b[3:]), ";;") {
		words := strings.Split(block, ";")
		var i Instance
		for n := 0; n+1 < len(words); n += 2 {
			switch words[n] {
			case "ServerName":
				i.Host = words[n+1]
			case "InstanceName":
				i.Name = words[n+1]
			}
		}
		if i.Host != "" && i.Name != "" {
			out = append(out, i)
		}
	}
	return out
}
