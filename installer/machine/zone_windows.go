package machine

import (
	"strings"

	"golang.org/x/sys/windows/registry"
)

// zones are the world's names of Windows' time zones, as the Unicode consortium maps them (CLDR, windowsZones): those of North America.
var zones = map[string]string{
	"Eastern Standard Time": "America/New_York", "US Eastern Standard Time": "America/Indiana/Indianapolis", "Central Standard Time": "America/Chicago",
	"Mountain Standard Time": "America/Denver", "US Mountain Standard Time": "America/Phoenix", "Pacific Standard Time": "America/Los_Angeles",
	"Alaskan Standard Time": "America/Anchorage", "Aleutian Standard Time": "America/Adak", "Hawaiian Standard Time": "Pacific/Honolulu",
	"SA Western Standard Time": "America/Puerto_Rico", "Atlantic Standard Time": "America/Halifax", "Newfoundland Standard Time": "America/St_Johns",
	"Canada Central Standard Time": "America/Regina", "Yukon Standard Time": "America/Whitehorse", "Central Standard Time (Mexico)": "America/Mexico_City",
	"Eastern Standard Time (Mexico)": "America/Cancun", "Mountain Standard Time (Mexico)": "America/Mazatlan", "Pacific Standard Time (Mexico)": "America/Tijuana",
	"UTC": "Etc/UTC",
}

// Zone is this PC's time zone by its name, "" = it cannot be told.
func Zone() string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Control\TimeZoneInformation`, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	name, _, err := k.GetStringValue("TimeZoneKeyName") // the one name that is the same in every language of Windows
	if err != nil {
		return ""
	}
	name, _, _ = strings.Cut(name, "\x00") // older Windows left what stood behind a shorter one
	return zones[strings.TrimSpace(name)]
}
