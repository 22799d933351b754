package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestALicenceIsKnownByItsWords, and one that is not known stops the release.
func TestALicenceIsKnownByItsWords(t *testing.T) {
	own, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	bsd := "Copyright X\nRedistribution and use in source and binary forms, with or without\nmodification"
	for text, want := range map[string]string{
		string(own): "Apache-2.0",
		"Copyright X\nPermission is hereby granted, free of charge, to any person": "MIT",
		bsd: "BSD-2-Clause",
		bsd + "\nNeither the name of X may be used to endorse or promote\nproducts derived from this software": "BSD-3-Clause",
		bsd + "\n---\n" + string(own): "BSD-2-Clause", // its own stands first
		"This software is provided 'as-is', without any express or implied\nwarranty.": "Zlib",
		"All rights reserved. Nobody may use this.":                                    "",
		"": "",
	} {
		if got := spdx(text); got != want {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
	dir := t.TempDir()
	if _, _, err := licenceOf(dir); err == nil {
		t.Error("a module without a licence passes")
	}
	for name, text := range map[string]string{"LICENSE.txt": "Permission is hereby granted, free of charge,\r\nto any", "NOTICE": "made by X", "LICENSE.docs": "others' words", "main.go": "package x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	id, text, err := licenceOf(dir)
	if err != nil || id != "MIT" || !strings.Contains(text, "made by X") || strings.Contains(text, "others") || strings.Contains(text, "\r") {
		t.Errorf("%q %q %v", id, text, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "LICENSE.txt"), []byte("All rights reserved."), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := licenceOf(dir); err == nil {
		t.Error("an unknown licence passes")
	}
}
