package store

import (
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

func TestUsers(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	do := func(f func(*Tx) error) error { return s.InTx(t.Context(), f) }
	add := func(u view.User) error {
		return do(func(tx *Tx) error { return tx.AddUser(t.Context(), u, "test") })
	}
	want := func(err error, code fault.Code) {
		t.Helper()
		if fault.CodeOf(err) != code {
			t.Errorf("got %v, want code %q", err, code)
		}
	}
	want(add(view.User{Name: "ann", Role: view.Admin, Hash: "h"}), "")
	want(add(view.User{Name: "ann", Role: view.Admin, Hash: "h"}), fault.Conflict)
	want(add(view.User{Name: "Ann B", Role: view.Admin, Hash: "h"}), fault.Invalid)
	want(add(view.User{Name: "bob", Role: "boss", Hash: "h"}), fault.Invalid)
	want(add(view.User{Name: "bob", Role: view.Store, Hash: "h"}), fault.Invalid)
	want(add(view.User{Name: "bob", Role: view.Store, Hash: "h", Locations: []retail.LocationCode{"NY 01", "LA"}}), "")

	bob, err := s.User(t.Context(), "bob")
	if err != nil || bob.Stamp != 1 || len(bob.Locations) != 2 || bob.Locations[0] != "NY 01" {
		t.Errorf("got %+v, %v", bob, err)
	}
	want(s.ChangePassword(t.Context(), "bob", "h2", "bob"), "")
	want(s.ChangePassword(t.Context(), "eve", "h2", "eve"), fault.NotFound)
	want(s.SignedIn(t.Context(), "bob", "127.0.0.1"), "")
	if bob, _ = s.User(t.Context(), "bob"); bob.Stamp != 2 || bob.Hash != "h2" || bob.SignedIn.IsZero() {
		t.Errorf("after a new password: got %+v", bob)
	}
	want(do(func(tx *Tx) error {
		return tx.SetUser(t.Context(), view.User{Name: "ann", Role: view.Admin, Disabled: true}, "ann")
	}), fault.Conflict)
	if ann, _ := s.User(t.Context(), "ann"); ann.Disabled {
		t.Error("the last admin was disabled")
	}
}

func TestSessions(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	ss := s.Sessions()
	if err := ss.CommitCtx(t.Context(), "a", []byte("x"), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if b, ok, err := ss.FindCtx(t.Context(), "a"); !ok || string(b) != "x" || err != nil {
		t.Errorf("got %q %v %v", b, ok, err)
	}
	now = now.Add(2 * time.Hour)
	if _, ok, _ := ss.FindCtx(t.Context(), "a"); ok {
		t.Error("an expired session was found")
	}
	if err := ss.CommitCtx(t.Context(), "b", []byte("y"), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := ss.DeleteCtx(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := s.read.QueryRow(`SELECT count(*) FROM session`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows left, %v", n, err)
	}
}
