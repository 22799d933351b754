package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/webhook"
	"github.com/tillpost/tillpost/shared/config"
)

// WebhooksConfig lets vendors tell that there is news. Without it the sources look by themselves.
type WebhooksConfig struct {
	SecretFile string   `toml:"secret_file" comment:"any long random text; empty: none are taken"`
	Tenants    []string `toml:"tenants" comment:"Heartland Retail accounts, by subdomain"`
	Public     string   `toml:"public" comment:"the pages' address as the internet sees it, for hub webhook list"`
}

func (w WebhooksConfig) validate(f *config.Faults) {
	if w.SecretFile == "" {
		if len(w.Tenants) > 0 {
			f.Add("webhooks.secret_file: it is missing; without it no webhook is taken")
		}
		return
	}
	if s, err := config.Secret(w.SecretFile); err != nil {
		f.Add("webhooks.secret_file: %v", err)
	} else if len(s) < 24 {
		f.Add("webhooks.secret_file: the secret is too short; 24 characters are the least")
	}
	for _, t := range w.Tenants {
		if t == "" || strings.ContainsAny(t, "/ ") {
			f.Add("webhooks.tenants: %q is no subdomain", t)
		}
	}
}

// hooks puts the webhooks beside the pages.
func (a *App) hooks(pages http.Handler) (http.Handler, error) {
	w := a.Config.Webhooks
	if w.SecretFile == "" {
		return pages, nil
	}
	secret, err := config.Secret(w.SecretFile)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/hooks/", webhook.New(secret, w.Tenants, a.pollers.wake, a.log))
	mux.Handle("/", pages)
	return mux, nil
}

// webhookCommand tells the addresses to register at the vendor.
func (c *cli) webhookCommand() *cobra.Command {
	list := c.plain("list", "the addresses to register at Heartland Retail, one for each event; each is a secret", func(context.Context) error {
		cfg, err := LoadConfig(c.file)
		if err != nil {
			return err
		}
		w := cfg.Webhooks
		if w.SecretFile == "" {
			return c.done("no webhooks are taken: fill in [webhooks]")
		}
		secret, err := config.Secret(w.SecretFile)
		if err != nil {
			return err
		}
		r := webhook.New(secret, w.Tenants, nil, nil)
		for _, tenant := range w.Tenants {
			for _, e := range webhook.Events {
				fmt.Fprintf(c.out, "%s %s %s%s\n", tenant, e, strings.TrimSuffix(w.Public, "/"), r.Path(tenant, e))
			}
		}
		return nil
	})
	return group("webhook", "how vendors tell that there is news", list)
}
