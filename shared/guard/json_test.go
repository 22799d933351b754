package guard_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/guard"
)

func TestJSONStaysJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"note":"4111111111111111"}`:                          `{"note":"411111******1111"}`,
		`{"ref":4111111111111111,"n":1}`:                       `{"ref":"411111******1111","n":1}`,
		`{"4111111111111111":1}`:                               `{"411111******1111":1}`,
		`{"a":["4111111111111111", {"b" : 5500000000000004}]}`: `{"a":["411111******1111", {"b" : "550000******0004"}]}`,
		`{"note":"\u0034111111111111111"}`:                     `{"note":"411111******1111"}`,
		`{"cvv":123, "track2" : {"x":[1]},"pin":null}`:         `{"cvv":"[card data removed]", "track2" : "[card data removed]","pin":null}`,
		`{"amount":411111111111.11,"id":"1-00042"}`:            `{"amount":411111111111.11,"id":"1-00042"}`,
		`[4111111111111111]`:                                   `["411111******1111"]`,
		`card 4111111111111111`:                                `card 411111******1111`,
		`{"a":"4111111111111111"} {`:                           `{"a":"411111******1111"} {`,
	} {
		if got := string(guard.JSON([]byte("s"), []byte(in))); got != want {
			t.Errorf("JSON(%s):\n got %s\nwant %s", in, got, want)
		}
	}
}

// A ticket's number that looks like a card's becomes a token: the same everywhere it stands, and another for another ticket.
func TestAJSONRecordsIdentityIsAToken(t *testing.T) {
	a := guard.JSON([]byte("s"), []byte(`{"id":"4111111111111111","lines":[{"note":"4111111111111111"}],"parent":4111111111111111}`))
	var x struct{ ID, Parent string }
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatalf("%v in %s", err, a)
	}
	if x.ID != guard.Key([]byte("s"), "4111111111111111") || x.Parent != x.ID || strings.Contains(string(a), "4111111111111111") {
		t.Errorf("got %s", a)
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,"4111111111111111",{"cvv":{}}]}`, `[]`, `"4111 1111 1111 1111"`, `{"id":4111111111111111}`, "\xff", `{"a":1}{`, `{"cvv":`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		once := guard.JSON([]byte("s"), body)
		if json.Valid(body) && !json.Valid(once) {
			t.Fatalf("%s became %s, which is no JSON", body, once)
		}
		if twice := guard.JSON([]byte("s"), once); !bytes.Equal(once, twice) {
			t.Errorf("cleaning %q twice: %q then %q", body, once, twice)
		}
	})
}
