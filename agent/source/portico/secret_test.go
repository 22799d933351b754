package portico

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/portico"
	"github.com/tillpost/tillpost/shared/mode"
	fake "github.com/tillpost/tillpost/test/fake/portico"
)

// TestOnlyReadingRequests enumerates everything the encoder can produce: each kind that exists and each that does not, with ids and windows
// of all sorts. What comes out is one of eight reading requests, or nothing.
func TestOnlyReadingRequests(t *testing.T) {
	allowed := map[string]bool{portico.Activity: true, portico.Find: true, portico.TxnDetail: true, portico.BatchHistory: true, portico.BatchDetail: true,
		portico.BatchSummary: true, portico.OpenAuths: true, portico.Credentials: true}
	ids := []string{"", "1", "1193129660", "x", "1</TxnId><CreditSale>", "1</BatchId></ReportBatchDetail><BatchClose/>", "-1", "1 ", "٣"}
	times := []time.Time{{}, time.Unix(0, 0), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
	creds := []Credentials{{APIKey: key}, {APIKey: "skapi_cert_</SecretAPIKey></Header><Transaction><CreditSale/>"}, {License: "1", Site: "2", Device: "3", User: "</UserName><BatchClose/>", Password: "<CreditVoid>"}}
	made := map[string]int{}
	for k := range 256 {
		for _, id := range ids {
			for _, from := range times {
				for _, c := range creds {
					b, err := request{kind: kind(k), id: id, from: from, to: from.Add(time.Hour)}.encode(c, sender{"</DeveloperID>", "3026"})
					if err != nil {
						if fault.CodeOf(err) != fault.Internal {
							t.Fatalf("code %s", fault.CodeOf(err))
						}
						continue
					}
					name := transaction(t, b)
					made[name]++
					if !allowed[name] {
						t.Fatalf("kind %d makes %s:\n%s", k, name, b)
					}
				}
			}
		}
	}
	if len(made) != len(allowed) {
		t.Errorf("made %v, want one of each of %d", made, len(allowed))
	}
	for name := range made {
		for _, moves := range []string{"Credit", "Debit", "Gift", "Cash", "Check", "Void", "Sale", "Return", "Reversal", "Edit", "BatchClose", "Auth", "Token", "PayPlan"} {
			if strings.Contains(name, moves) && name != portico.OpenAuths {
				t.Errorf("%s is a money-moving request", name)
			}
		}
	}
}

// transaction returns the name of the one request in a body, and fails if there is more than one or text where markup should be.
func transaction(t *testing.T, body []byte) (name string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(body))
	depth, found := 0, 0
	for inside := false; ; {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		switch x := tok.(type) {
		case xml.StartElement:
			depth++
			if inside && depth == 6 {
				name, found = x.Name.Local, found+1
			}
			if depth == 5 {
				inside = x.Name.Local == "Transaction"
			}
		case xml.EndElement:
			depth--
		}
	}
	if found != 1 {
		t.Fatalf("%d requests in\n%s", found, body)
	}
	return name
}

// TestTheKeyIsNeverPrinted: not by any verb, log, encoder, error or panic.
func TestTheKeyIsNeverPrinted(t *testing.T) {
	const secret = "skapi_cert_TOPSECRET"
	c := Credentials{APIKey: secret, Password: "TOPSECRET"}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"} {
		fmt.Fprintf(&out, verb+" ", c)
		fmt.Fprintf(&out, verb+" ", c.APIKey)
		fmt.Fprintf(&out, verb+" ", &c)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Error("x", "cred", c, "key", c.APIKey)
	slog.New(slog.NewTextHandler(&out, nil)).Error("x", "cred", c, "key", c.APIKey)
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	if b, err = xml.Marshal(c); err != nil {
		t.Fatal(err)
	}
	out.Write(b)

	w := newWorld(t, fake.Options{})
	w.cred = Credentials{APIKey: secret}
	err = w.read()
	fmt.Fprint(&out, err, w.src.br.Status(), w.log.String(), w.cursor)
	w.g.Trouble.Spoil("", 9, fake.SignIn)
	w.cred.APIKey = secret + "2"
	w.src.br.Retry()
	w.clock = w.clock.Add(time.Hour)
	fmt.Fprint(&out, w.read(), w.log.String())
	w.o.URL = "http://127.0.0.1:1"
	w.restart()
	fmt.Fprint(&out, w.read(), w.log.String())
	if strings.Contains(strings.ToUpper(out.String()), "TOPSECRET") || strings.Contains(out.String(), fmt.Sprintf("%x", "TOPSECRET")) {
		t.Errorf("it is told:\n%s", out.String())
	}
}

func TestPlace(t *testing.T) {
	test, prod := Credentials{APIKey: "skapi_cert_x"}, Credentials{APIKey: "skapi_prod_x"}
	five := Credentials{License: "1", Site: "2", Device: "3", User: "u", Password: "p"}
	for _, c := range []struct {
		cred Credentials
		url  string
		env  mode.Mode
		base string
		bad  string
	}{
		{test, "", mode.Test, "https://cert.api2.heartlandportico.com", ""},
		{prod, "", mode.Production, "https://api2.heartlandportico.com", ""},
		{prod, "https://api2-c.heartlandportico.com/", mode.Production, "https://api2-c.heartlandportico.com", ""},
		{five, "https://cert.api2.heartlandportico.com", mode.Test, "https://cert.api2.heartlandportico.com", ""},
		{five, "https://api2.heartlandportico.com", mode.Production, "https://api2.heartlandportico.com", ""},
		{test, "http://127.0.0.1:8080", mode.Test, "http://127.0.0.1:8080", ""},
		{test, "https://api2.heartlandportico.com", "", "", "the key is of the test gateway"},
		{prod, "https://cert.api2.heartlandportico.com", "", "", "the key is of the production gateway"},
		{prod, "https://api2.heartlandportico.com.example.com", "", "", "not Heartland's gateway"},
		{prod, "http://api2.heartlandportico.com", "", "", "not Heartland's gateway"},
		{prod, "https://api2.heartlandportico.com:444", "", "", "not Heartland's gateway"},
		{prod, "https://u:p@api2.heartlandportico.com", "", "", "not of the form"},
		{five, "", "", "", "name url"},
		{Credentials{APIKey: "pkapi_cert_x"}, "", "", "", "public key"},
		{Credentials{APIKey: "abc"}, "", "", "", "begins with"},
		{Credentials{}, "", "", "", "there are none"},
		{Credentials{License: "1"}, "", "", "", "needed together"},
		{Credentials{APIKey: "skapi_cert_x", User: "u"}, "", "", "", "two ways in"},
		{Credentials{License: "1", Site: "x", Device: "3", User: "u", Password: "p"}, "", "", "", "numbers"},
	} {
		env, base, err := Place(c.cred, c.url)
		if env != c.env || base != c.base || (err == nil) != (c.bad == "") || err != nil && !strings.Contains(err.Error(), c.bad) {
			t.Errorf("%q at %q: got %s %s %v", string(c.cred.APIKey), c.url, env, base, err)
		}
	}
}
