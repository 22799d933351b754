package service

import (
	"path"
	"strings"
)

// stateRoot is where systemd makes state folders.
const stateRoot = "/var/lib/"

// Unit is the service's unit file. Packages ship the same text (`service unit` prints it), so that an installed package and an installed
// file are one thing.
func (s Spec) Unit() string {
	var b strings.Builder
	line := func(words ...string) { b.WriteString(strings.Join(words, "") + "\n") }
	line("[Unit]")
	line("Description=", s.Display, ": ", s.Description)
	line("Wants=network-online.target")
	line("After=network-online.target time-sync.target")
	line("# It is started again however often it fails: what the tills sell must be kept.")
	line("StartLimitIntervalSec=0")
	line()
	line("[Service]")
	line("Type=notify")
	line("NotifyAccess=main")
	command := append([]string{s.Exe}, s.Args...)
	for i, word := range command {
		command[i] = quoteUnit(word)
	}
	line("ExecStart=", strings.Join(command, " "))
	line("User=", s.Name)
	line("Group=", s.Name)
	line("Restart=always")
	line("RestartSec=5")
	line("TimeoutStartSec=", seconds(startWithin))
	line("TimeoutStopSec=", seconds(stopWithin+shutdownWithin))
	line("WatchdogSec=", seconds(hungAfter))
	if path.Dir(s.State)+"/" == stateRoot {
		line("StateDirectory=", path.Base(s.State))
		line("StateDirectoryMode=0700")
	} else {
		line("ReadWritePaths=", quoteUnit(s.State))
	}
	line("UMask=0077")
	for _, h := range hardening {
		line(h)
	}
	caps := ""
	if s.LowPorts {
		caps = "CAP_NET_BIND_SERVICE"
		line("AmbientCapabilities=", caps)
	}
	line("CapabilityBoundingSet=", caps)
	line()
	line("[Install]")
	line("WantedBy=multi-user.target")
	return b.String()
}

// hardening takes away what the service never needs. Homes stay readable: a till's export folder may be in one.
var hardening = []string{
	"NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=read-only", "PrivateTmp=yes", "PrivateDevices=yes", "ProtectProc=invisible",
	"ProtectClock=yes", "ProtectHostname=yes", "ProtectKernelLogs=yes", "ProtectKernelModules=yes", "ProtectKernelTunables=yes", "ProtectControlGroups=yes",
	"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK", "RestrictNamespaces=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes",
	"LockPersonality=yes", "MemoryDenyWriteExecute=yes", "RemoveIPC=yes", "SystemCallArchitectures=native", "SystemCallFilter=@system-service",
}

// quoteUnit makes one word of systemd's syntax.
func quoteUnit(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$", "\n", `\n`).Replace(s)
	if strings.ContainsAny(s, " \t\"'\\;") || s == "" {
		return `"` + s + `"`
	}
	return s
}
