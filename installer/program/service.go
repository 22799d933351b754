package program

import (
	"context"
)

// Service is the agent's service as the system knows it.
type Service struct{ Agent }

// State is what the installer reads of `agent service status`.
type State struct {
	Installed bool `json:"installed"`
	Running   bool `json:"running"`
}

// State tells what the system knows.
func (s Service) State(ctx context.Context) (st State, err error) {
	return st, s.answer(ctx, quick, &st, "service", "status")
}

// Install registers the service, or mends it: its account, what that may read and write, when it starts and what happens when it fails.
func (s Service) Install(ctx context.Context) error { return s.service(ctx, "install") }

// Uninstall takes the service out of the system; it does nothing where none is.
func (s Service) Uninstall(ctx context.Context) error { return s.service(ctx, "uninstall") }

// Start starts the service; it does nothing where it runs.
func (s Service) Start(ctx context.Context) error { return s.service(ctx, "start") }

// Stop returns when the service stands still.
func (s Service) Stop(ctx context.Context) error { return s.service(ctx, "stop") }

func (s Service) service(ctx context.Context, what string) error {
	_, err := s.run(ctx, slow, "service", what)
	return err
}
