package machine

import (
	"testing"
	"time"
	_ "time/tzdata"

	"golang.org/x/sys/windows/registry"
)

func TestZone(t *testing.T) {
	for windows, world := range zones {
		if _, err := time.LoadLocation(world); err != nil {
			t.Errorf("%s: %v", windows, err)
		}
	}
	k, _, err := registry.CreateKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Control\TimeZoneInformation`, registry.QUERY_VALUE|registry.SET_VALUE)
	if err != nil {
		t.Skipf("this account may not set the time zone: %v", err)
	}
	defer k.Close()
	was, _, _ := k.GetStringValue("TimeZoneKeyName")
	defer func() { _ = k.SetStringValue("TimeZoneKeyName", was) }()
	for is, want := range map[string]string{"Pacific Standard Time": "America/Los_Angeles", "Nowhere Standard Time": "", "": ""} {
		if err := k.SetStringValue("TimeZoneKeyName", is); err != nil {
			t.Fatal(err)
		}
		if got := Zone(); got != want {
			t.Errorf("%q is %q, want %q", is, got, want)
		}
	}
}
