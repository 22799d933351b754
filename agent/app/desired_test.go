package app

import (
	"reflect"
	"strings"
	"testing"

	wire "github.com/tillpost/tillpost/shared/desired"
)

// TestTheHubSetsKnownKeysOnly: the allow-list names settings that there are, and none that names a file or where a key is sent.
func TestTheHubSetsKnownKeysOnly(t *testing.T) {
	v := reflect.TypeFor[SourceConfig]()
	for i := range v.NumField() {
		kind, _, _ := strings.Cut(v.Field(i).Tag.Get("toml"), ",")
		may, listed := wire.Sources[kind]
		if !listed {
			continue
		}
		have := map[string]bool{}
		one := v.Field(i).Type.Elem()
		for j := range one.NumField() {
			key, _, _ := strings.Cut(one.Field(j).Tag.Get("toml"), ",")
			have[key] = true
		}
		for key := range may.Keys {
			if !have[key] {
				t.Errorf("source.%s has no setting %s", kind, key)
			}
			if strings.HasSuffix(key, "_file") || (key == "url" || key == "address" || key == "user") && hasSecret(have) {
				t.Errorf("source.%s: the hub may set %s", kind, key)
			}
		}
		if !have[may.ID] || may.Adds && hasSecret(have) {
			t.Errorf("source.%s: %+v", kind, may)
		}
	}
}

func hasSecret(keys map[string]bool) bool {
	for k := range keys {
		if strings.HasSuffix(k, "_file") {
			return true
		}
	}
	return false
}
