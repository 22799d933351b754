package enrol_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/identity"
	"github.com/tillpost/tillpost/agent/keystore"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// rewrite changes a text in a PC's identity.
func rewrite(t *testing.T, p identity.Store, from, to string) {
	t.Helper()
	path := filepath.Join(p.Dir, "identity.json")
	b, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(b), from) {
		t.Fatalf("the identity does not hold %q: %v", from, err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(b), from, to)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyOf(t *testing.T, p identity.Store) identity.Store {
	t.Helper()
	out := pc(t)
	if err := os.CopyFS(out.Dir+"/x", os.DirFS(p.Dir)); err != nil {
		t.Fatal(err)
	}
	return identity.Store{Dir: out.Dir + "/x"}
}

// TestAnAnswerThatWasLostIsGivenAgain to the same key, days later too, and to no other.
func TestAnAnswerThatWasLostIsGivenAgain(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	code, p := c.code(t, "pc-1", false), pc(t)
	c.lose.Store(1)
	if _, err := c.enrol(t.Context(), p, code); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("the answer was lost: %v", err)
	}
	c.ahead.Store(int64(5 * 24 * time.Hour)) // the code ran out meanwhile; it was used
	if _, err := c.enrol(t.Context(), pc(t), code); !fault.Is(err, fault.Conflict) {
		t.Errorf("another PC: %v", err)
	}
	id := c.mustEnrol(t, p, code)
	if list, err := c.store.Certificates(t.Context(), "pc-1"); err != nil || len(list) != 1 {
		t.Errorf("%d certificates were made, %v", len(list), err)
	}
	if err := c.admit(t, id); err != nil {
		t.Error(err)
	}
	heard := c.heard.Load()
	if again := c.mustEnrol(t, p, code); again.Cert != id.Cert || c.heard.Load() != heard {
		t.Error("the same code typed again changed something")
	}
	if left, err := os.ReadFile(filepath.Join(p.Dir, "identity.next")); err == nil {
		t.Errorf("the key that was asked with is left: %s", left)
	}
}

// TestRenewal: a new key each time; the old certificate ends when the new one comes in and not before, and a lost answer costs nothing.
func TestRenewal(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	p := pc(t)
	first := c.mustEnrol(t, p, c.code(t, "pc-1", false))
	if err := c.admit(t, first); err != nil {
		t.Fatal(err)
	}
	c.lose.Store(1)
	if _, err := p.Renew(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("the answer was lost: %v", err)
	}
	if err := c.admit(t, first); err != nil {
		t.Errorf("the old one does not hold while the new one is on its way: %v", err)
	}
	second, err := p.Renew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if list, err := c.store.Certificates(t.Context(), "pc-1"); err != nil || len(list) != 2 {
		t.Errorf("%d certificates were made, %v", len(list), err)
	}
	if c.shown(t, first).Key == c.shown(t, second).Key {
		t.Error("the key is the old one")
	}
	if err := c.admit(t, first); err != nil {
		t.Errorf("the old one does not hold although the new one never came in: %v", err)
	}
	if err := c.admit(t, second); err != nil {
		t.Fatal(err)
	}
	if err := c.admit(t, first); !fault.Is(err, fault.Conflict) {
		t.Errorf("the old one holds: %v", err)
	}
}

// TestTheRootOfReleases is the first that the PC was given, until a person enrols it anew: a hub that was broken into names no other.
func TestTheRootOfReleases(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	p := pc(t)
	root := ""
	c.door.ReleaseRoot = func(context.Context) string { return root }
	is := func(id identity.Identity, err error, want string) {
		t.Helper()
		if err != nil || id.ReleaseRoot != want {
			t.Errorf("the root is %q, %v; want %q", id.ReleaseRoot, err, want)
		}
	}
	is(c.mustEnrol(t, p, c.code(t, "pc-1", false)), nil, "")
	root = "the first" // the hub has releases now
	id, err := p.Renew(t.Context())
	is(id, err, "the first")
	root = "a thief's"
	for range 2 {
		id, err = p.Renew(t.Context())
		is(id, err, "the first")
	}
	root = "founded anew" // the keys of the first were lost, and a person brings each PC a code
	is(c.mustEnrol(t, p, c.code(t, "pc-1", true)), nil, "founded anew")
}

// TestWhatIsNoSecretIsReadFromThePCsOwnHub, by the name that every hub's certificate has, at whatever address.
func TestWhatIsNoSecretIsReadFromThePCsOwnHub(t *testing.T) {
	c, other := newCentre(t), newCentre(t)
	c.device(t, "pc-1")
	p := pc(t)
	c.mustEnrol(t, p, c.code(t, "pc-1", false))
	for url, good := range map[string]bool{c.url: true, other.url: false} {
		resp, err := p.Web().Get(url + "/release/metadata/timestamp.json")
		if err == nil {
			resp.Body.Close()
		}
		if (err == nil) != good {
			t.Errorf("%s: %v", url, err)
		}
	}
	if n := other.heard.Load(); n != 0 {
		t.Errorf("another machine was asked %d times", n)
	}
}

// TestTheKeeperAsksWhenAThirdIsLeft and not before.
func TestTheKeeperAsksWhenAThirdIsLeft(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	p := pc(t)
	c.mustEnrol(t, p, c.code(t, "pc-1", false))
	heard, now, renewed := c.heard.Load(), time.Now(), 0
	var told error
	k := identity.Keeper{Store: p, Now: func() time.Time { return now }, Renewed: func(identity.Identity) { renewed++ }, Told: func(err error, _ time.Time) { told = err }}
	if k.Step(t.Context()); renewed != 0 || c.heard.Load() != heard {
		t.Error("it asked at once")
	}
	now = now.Add(59 * 24 * time.Hour)
	if k.Step(t.Context()); renewed != 0 || told != nil {
		t.Errorf("it asked after 59 of 90 days, %v", told)
	}
	now = now.Add(48 * time.Hour)
	c.lose.Store(1)
	wait := k.Step(t.Context())
	if told == nil || wait <= 0 || wait > time.Hour {
		t.Errorf("the answer was lost: %v, again in %v", told, wait)
	}
	if again := k.Step(t.Context()); again > wait || renewed != 0 {
		t.Errorf("it asked again at once, next in %v", again)
	}
	now = now.Add(wait)
	if k.Step(t.Context()); renewed != 1 || told != nil {
		t.Errorf("renewed %d times, %v", renewed, told)
	}
}

// TestACopyOfAPC: two PCs have one identity. Whichever renews first, the other one is turned away and head office is told.
func TestACopyOfAPC(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	p := pc(t)
	c.mustEnrol(t, p, c.code(t, "pc-1", false))
	clone := copyOf(t, p)
	id, err := p.Renew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.admit(t, id); err != nil {
		t.Fatal(err)
	}
	old, err := clone.Read()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.admit(t, old); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "copy") {
		t.Errorf("the copy at the broker: %v", err)
	}
	if _, err := clone.Renew(t.Context()); !fault.Is(err, fault.Conflict) {
		t.Errorf("the copy renews: %v", err)
	}
	if !c.hasCase(t, cases.CertificateCopied, "pc-1") {
		t.Error("nobody was told")
	}
	if err := c.admit(t, id); err != nil {
		t.Errorf("the store's own PC lost its right: %v", err)
	}
	// Head office finds that the copy is the store's PC, put back from an image: it gets a code, and the case closes.
	c.mustEnrol(t, clone, c.code(t, "pc-1", true))
	if c.hasCase(t, cases.CertificateCopied, "pc-1") {
		t.Error("the case is still open")
	}
}

// TestReplaceThisPC: a new PC takes the device's place; the old one's certificate holds until then and not afterwards.
func TestReplaceThisPC(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	before := pc(t)
	old := c.mustEnrol(t, before, c.code(t, "pc-1", false))
	err := c.store.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.MakeCode(t.Context(), "pc-1", tx.Now.Add(time.Hour), false, "test", "")
		return err
	})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "hub device replace") {
		t.Errorf("a second code without the word for it: %v", err)
	}
	code := c.code(t, "pc-1", true)
	if err := c.admit(t, old); err != nil {
		t.Errorf("the old PC lost its right before the new one came: %v", err)
	}
	after := pc(t)
	id := c.mustEnrol(t, after, code)
	if id.Device != "pc-1" || c.admit(t, id) != nil {
		t.Error("the new PC has no right")
	}
	if err := c.admit(t, old); !fault.Is(err, fault.Conflict) {
		t.Errorf("the old PC holds: %v", err)
	}
	if _, err := before.Renew(t.Context()); !fault.Is(err, fault.Conflict) {
		t.Errorf("the old PC renews: %v", err)
	}
}

// TestTheWrongPC: one that holds another device's tickets is not enrolled, and the code stays good.
func TestTheWrongPC(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	c.device(t, "pc-2")
	p := pc(t)
	c.mustEnrol(t, p, c.code(t, "pc-1", false))
	code := c.code(t, "pc-2", false)
	if _, err := c.enrol(t.Context(), p, code); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "still good") {
		t.Errorf("got %v", err)
	}
	if id, err := p.Read(); err != nil || id.Device != "pc-1" {
		t.Errorf("the PC is %s, %v", id.Device, err)
	}
	other := newCentre(t)
	other.device(t, "pc-1")
	if _, err := other.enrol(t.Context(), p, other.code(t, "pc-1", false)); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "belong to hub") {
		t.Errorf("another hub: %v", err)
	}
	c.mustEnrol(t, pc(t), code)
}

// TestARestoredHub takes a certificate over that it issued after its backup, and no code that waited in it.
func TestARestoredHub(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	c.device(t, "pc-2")
	c.device(t, "pc-3")
	c.device(t, "pc-4")
	p, late := pc(t), pc(t)
	known := c.mustEnrol(t, pc(t), c.code(t, "pc-3", false))
	c.admit(t, c.mustEnrol(t, p, c.code(t, "pc-1", false)))
	code := c.code(t, "pc-2", false)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if _, err := c.store.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	<-time.After(1100 * time.Millisecond) // certificates have whole seconds
	second, err := p.Renew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.admit(t, second); err != nil {
		t.Fatal(err)
	}
	enrolled := c.mustEnrol(t, late, code)
	unknown := c.mustEnrol(t, pc(t), c.code(t, "pc-4", false))
	for _, d := range []retail.DeviceID{"pc-3", "pc-4"} {
		c.tx(t, func(tx *store.Tx) error { return tx.Revoke(t.Context(), d, "test", "stolen") })
	}
	if err := c.store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(t.Context(), backup, c.dir); err != nil {
		t.Fatal(err)
	}
	c.open(t)
	for _, id := range []identity.Identity{second, enrolled} {
		if err := c.admit(t, id); err != nil {
			t.Errorf("%s is locked out: %v", id.Device, err)
		}
	}
	for _, id := range []identity.Identity{known, unknown} {
		if err := c.admit(t, id); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "revoked") {
			t.Errorf("%s was revoked after the backup: %v", id.Device, err)
		}
	}
	if _, err := c.enrol(t.Context(), pc(t), code); !fault.Is(err, fault.NotFound) {
		t.Errorf("a code that was used after the backup is good again: %v", err)
	}
}

// TestSecretsUnderANewKey: the identity opens as before, and the old key opens nothing.
func TestSecretsUnderANewKey(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	p := pc(t)
	before := c.mustEnrol(t, p, c.code(t, "pc-1", false))
	old := copyOf(t, p)
	file := filepath.Join(p.Dir, "gateway.key")
	if err := os.WriteFile(file, []byte("skapi_secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := keystore.Store{Dir: p.Dir}
	if _, sealed, err := keys.Keep(file); err != nil || !sealed {
		t.Fatal(sealed, err)
	}
	if err := keys.Rotate([]string{file}, func(reseal func(string) (string, error)) error { return p.Reseal(t.Context(), reseal) }); err != nil {
		t.Fatal(err)
	}
	if text, err := keys.Read(file); err != nil || string(text) != "skapi_secret" {
		t.Errorf("got %v", err)
	}
	if _, err := p.Renew(t.Context()); err != nil {
		t.Errorf("the PC cannot use its key: %v", err)
	}
	after, err := p.Read()
	if err != nil || after.Key == before.Key {
		t.Fatal("the key was not sealed anew", err)
	}
	if _, err := (keystore.Store{Dir: old.Dir}).Open(after.Key); err == nil {
		t.Error("the old key opens what was sealed anew")
	}
}

// TestAChangeIsSeenOnce by whoever watches.
func TestAChangeIsSeenOnce(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	_, last, err := c.store.DeviceChanges(t.Context(), -1)
	if err != nil {
		t.Fatal(err)
	}
	c.mustEnrol(t, pc(t), c.code(t, "pc-1", false))
	c.tx(t, func(tx *store.Tx) error { return tx.Revoke(t.Context(), "pc-1", "test", "x") })
	changed, next, err := c.store.DeviceChanges(t.Context(), last)
	if err != nil || len(changed) == 0 || changed[len(changed)-1] != retail.DeviceID("pc-1") {
		t.Errorf("got %v, %v", changed, err)
	}
	if changed, _, err = c.store.DeviceChanges(context.WithoutCancel(t.Context()), next); err != nil || len(changed) != 0 {
		t.Errorf("it is told again: %v, %v", changed, err)
	}
	if s, err := c.store.Sender(t.Context(), "pc-1"); err != nil || s.Refusal == "" {
		t.Errorf("a broker of its own lets it send: %q, %v", s.Refusal, err)
	}
}
