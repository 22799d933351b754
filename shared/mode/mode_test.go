package mode_test

import (
	"testing"

	"github.com/tillpost/tillpost/shared/mode"
)

func TestAddressesAndKeys(t *testing.T) {
	for address, want := range map[string]mode.Mode{
		"https://cert.api2.heartlandportico.com/Hps.Exchange.PosGateway/PosGatewayService.asmx": mode.Test,
		"https://cert.api2-c.heartlandportico.com":                                              mode.Test,
		"https://api2.heartlandportico.com":                                                     mode.Production,
		"https://API2.heartlandportico.com:443/x":                                               mode.Production,
		"https://apis.sandbox.globalpay.com/ucp":                                                mode.Test,
		"https://apis.globalpay.com/ucp":                                                        mode.Production,
		"https://shop.retail.heartland.us/api":                                                  mode.Production,
		"http://127.0.0.1:18080":                                                                mode.Test,
		"http://[::1]:1":                                                                        mode.Test,
		"http://localhost:8":                                                                    mode.Test,
		"https://evil-api2.heartlandportico.com.example.net":                                    mode.Unknown,
		"https://books.example.com":                                                             mode.Unknown,
		"::not an address":                                                                      mode.Unknown,
	} {
		if got := mode.OfURL(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
	for key, want := range map[string]mode.Mode{"skapi_cert_abc": mode.Test, "skapi_prod_abc": mode.Production, "pkapi": mode.Unknown, "": mode.Unknown} {
		if got := mode.OfKey(key); got != want {
			t.Errorf("%q: got %s, want %s", key, got, want)
		}
	}
	if m, clash := mode.Of(mode.OfKey("skapi_cert_x"), mode.OfURL("https://api2.heartlandportico.com")); !clash {
		t.Errorf("a test key at a production host passes as %s", m)
	}
	if m, clash := mode.Of(mode.Unknown, mode.Test, mode.Test); clash || m != mode.Test {
		t.Errorf("got %s, %v", m, clash)
	}
}

func TestMark(t *testing.T) {
	for _, m := range []mode.Mode{mode.Unknown, mode.Test, mode.Production} {
		if got := mode.Marked(mode.Mark("application/json", m)); got != m {
			t.Errorf("%s came back as %s", m, got)
		}
	}
	for _, s := range []string{"", "application/json; mode=loud", ";;;=", "text/csv; charset=utf-8"} {
		if got := mode.Marked(s); got != mode.Unknown {
			t.Errorf("%q is read as %s", s, got)
		}
	}
	if mode.Mixed(mode.Unknown, mode.Production) || mode.Mixed(mode.Test, mode.Test) || !mode.Mixed(mode.Production, mode.Test) {
		t.Error("Mixed is wrong")
	}
}
