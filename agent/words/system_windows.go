package words

import (
	"strings"

	"golang.org/x/sys/windows"
)

// system is the language that this account sees Windows in.
func system() Lang {
	names, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil {
		return English
	}
	return Prefer(strings.Join(names, ","))
}
