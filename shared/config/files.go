package config

import (
	"reflect"
	"slices"
	"strings"
)

// Files lists the files that settings name, by the ends of their keys: secrets in "…_file", and what is no secret in "cert_file" and "ca_file".
func Files(v any) (secrets, others []string) {
	walk(reflect.ValueOf(v), func(key, value string) {
		switch {
		case value == "" || !strings.HasSuffix(key, "_file"):
		case strings.HasSuffix(key, "cert_file") || strings.HasSuffix(key, "ca_file"):
			others = append(others, value)
		default:
			secrets = append(secrets, value)
		}
	})
	slices.Sort(secrets)
	slices.Sort(others)
	return slices.Compact(secrets), slices.Compact(others)
}

func walk(v reflect.Value, see func(key, value string)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			if key, _, _ := strings.Cut(f.Tag.Get("toml"), ","); v.Field(i).Kind() == reflect.String && key != "" {
				see(key, v.Field(i).String())
			}
			walk(v.Field(i), see)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), see)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), see)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			walk(it.Value(), see)
		}
	}
}
