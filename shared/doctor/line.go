package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	lineWait = 10 * time.Second
	// clockWrong is beyond what a business day or a card batch tolerates; clockOff is worth a look.
	clockWrong = 5 * time.Minute
	clockOff   = 30 * time.Second
	// renewWithin is when a certificate's end should be on somebody's list, renewNow when it cannot wait.
	renewWithin = 30 * 24 * time.Hour
	renewNow    = 3 * 24 * time.Hour
)

// Clock judges the offset of this machine's clock to another's: ours minus theirs.
func Clock(what, whose string, off time.Duration) Finding {
	said := fmt.Sprintf("this machine's clock is %s %s %s", off.Abs().Round(time.Second), map[bool]string{true: "ahead of", false: "behind"}[off > 0], whose)
	switch {
	case off.Abs() >= clockWrong:
		return Finding{what, Bad, said, "Tickets may land on the wrong business day, and logins are refused.", "Switch on the automatic time of the system, or set the clock; then restart the service."}
	case off.Abs() >= clockOff:
		return Finding{what, Warn, said, "Around the end of a business day a ticket may land on the wrong one.", "Switch on the automatic time of the system."}
	}
	return Finding{what, Good, "this machine's clock agrees with " + whose, "", ""}
}

// ServerTime is the time of an HTTP server, from the Date header of its answer, whatever it answers; off is ours minus theirs. Code of the
// error: none, it is for a person.
func ServerTime(ctx context.Context, url string) (off time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, lineWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return 0, err
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	begun := time.Now()
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, errors.New("the server tells no time")
	}
	// The header has whole seconds: half of one is added, and half of the way.
	return begun.Add(time.Since(begun) / 2).Sub(at.Add(500 * time.Millisecond)), nil
}

// Port looks whether something answers at an address.
func Port(ctx context.Context, addr string) error {
	d := net.Dialer{Timeout: lineWait}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return c.Close()
}

// Free looks whether an address could be listened at.
func Free(ctx context.Context, addr string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return l.Close()
}

// Expiry judges when a certificate ends.
func Expiry(what, whose string, ends, now time.Time) Finding {
	left := ends.Sub(now)
	said := fmt.Sprintf("the certificate of %s ends on %s", whose, ends.Format(time.DateOnly))
	switch {
	case left <= 0:
		return Finding{what, Bad, fmt.Sprintf("the certificate of %s ended on %s", whose, ends.Format(time.DateOnly)), "Nobody connects to it any more; tickets wait in the stores, none is lost.", "Renew it now."}
	case left < renewNow:
		return Finding{what, Bad, said, "From then on nobody connects to it; tickets wait in the stores.", "Renew it now."}
	case left < renewWithin:
		return Finding{what, Warn, said, "From then on nobody connects to it; tickets wait in the stores.", "Renew it."}
	}
	return Finding{what, Good, said, "", ""}
}

// ServerCertificate is when the certificate ends that a TLS server shows, trusted or not.
func ServerCertificate(ctx context.Context, addr, name string) (time.Time, error) {
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: lineWait}, Config: &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}} //nolint:gosec // only its dates are read
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return time.Time{}, err
	}
	defer c.Close()
	tc, ok := c.(*tls.Conn)
	if !ok || len(tc.ConnectionState().PeerCertificates) == 0 {
		return time.Time{}, errors.New("it shows no certificate")
	}
	return tc.ConnectionState().PeerCertificates[0].NotAfter, nil
}

// FileCertificate is when the first certificate in a PEM file ends.
func FileCertificate(path string) (time.Time, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return time.Time{}, errors.New(path + " holds no certificate")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, err
	}
	return c.NotAfter, nil
}
