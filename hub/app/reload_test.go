package app

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestNoSettingIsPassedOver: whatever changes while the hub runs is taken over or told to want a restart.
func TestNoSettingIsPassedOver(t *testing.T) {
	typ := reflect.TypeFor[Config]()
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("toml"), ",")
		next := Default()
		if !differ(reflect.ValueOf(&next).Elem().Field(i)) {
			t.Errorf("%s: this test knows no way to change it", name)
		}
		var want []string
		if !slices.Contains(taken, name) {
			want = []string{name}
		}
		if got := needRestart(Default(), next); !slices.Equal(got, want) {
			t.Errorf("%s changed: %q wait for a restart, want %q", name, got, want)
		}
	}
	for _, dir := range []func(*Config) *string{func(c *Config) *string { return &c.Release.Dir }, func(c *Config) *string { return &c.Release.Keys }} {
		next := Default()
		*dir(&next) = "/srv/releases"
		if got := needRestart(Default(), next); !slices.Equal(got, []string{"release"}) {
			t.Errorf("a folder of releases changed: %q", got)
		}
	}
}

// differ changes the first thing in v that it can.
func differ(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	case reflect.Struct:
		for i := range v.NumField() {
			if differ(v.Field(i)) {
				return true
			}
		}
		return false
	default:
		return false
	}
	return true
}
