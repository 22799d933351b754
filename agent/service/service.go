// Package service says what the agent is to Windows and Linux as a service; shared/service does the rest.
package service

import "github.com/tillpost/tillpost/shared/service"

// Name is the service's name in the system's list, and its account's.
const Name = "tillpost-agent"

// Spec is the agent's service with these settings. owns are files with secrets, reads what it reads besides.
func Spec(config, state string, owns, reads []string) service.Spec {
	return service.Spec{
		Name: Name, Display: "Tillpost agent", Description: "keeps what the tills of this store sell and sends it to head office",
		Args: []string{"run", "--service", "--config", config}, State: state, Owns: owns, Reads: append([]string{config}, reads...),
	}
}
