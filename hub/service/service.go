// Package service says what the hub is to Windows and Linux as a service; shared/service does the rest.
package service

import "github.com/tillpost/tillpost/shared/service"

// Name is the service's name in the system's list, and its account's.
const Name = "tillpost-hub"

// Spec is the hub's service with these settings. owns are files with secrets, reads what it reads besides. Its pages may stand on port 443.
func Spec(config, state string, owns, reads []string) service.Spec {
	return service.Spec{
		Name: Name, Display: "Tillpost hub", Description: "takes in what the stores sold and writes it to the books", LowPorts: true,
		Args: []string{"run", "--service", "--config", config}, State: state, Owns: owns, Reads: append([]string{config}, reads...),
	}
}
