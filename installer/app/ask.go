package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/installer/console"
	"github.com/tillpost/tillpost/installer/journal"
	"github.com/tillpost/tillpost/installer/plan"
	"github.com/tillpost/tillpost/shared/version"
)

// ask learns what the plan needs: from the command line alone with --accept, else from the person.
func (r *run) ask(ctx context.Context, past journal.Past) error {
	r.con.Say("Tillpost installer %s", version.String())
	if past.Cut {
		r.con.Say("The last run (%s, %s) was cut off%s. Going on from there.", past.Action, past.At.Local().Format("2006-01-02 15:04"), atStep(past.Step))
	}
	act := plan.Choose(r.facts, r.want)
	enrols := act == plan.ReEnrol && !r.facts.Redeemed || !r.facts.Identity && (act == plan.Install || act == plan.Repair || act == plan.Upgrade)
	writes := !r.facts.Settings && act != plan.Uninstall && act != plan.Leave // whoever asks for a repair wants his till read, too
	if writes {
		r.search(ctx)
	}
	if r.opt.accept {
		if enrols && (r.opt.hub == "" || r.opt.code == "") {
			return fmt.Errorf("with --accept nothing is asked: name head office and this PC's code with --hub and --code")
		}
		return r.sources.accept(r.opt)
	}
	r.con.Say("Type your answer and press Enter. Enter alone takes what stands in [brackets]; \"back\" goes back, \"quit\" ends.")
	var qs []console.Question
	if r.want.Action == plan.Auto && r.facts.Identity && !past.Cut && act != plan.Install {
		return r.menu(act)
	}
	if enrols {
		qs = append(qs, r.askHub(), r.askCode())
	}
	if writes {
		qs = append(qs, r.sources.questions(ctx, r)...)
	}
	if act == plan.Uninstall && !past.Cut {
		qs = append(qs, r.sure("Take Tillpost off this PC?"))
	}
	if act == plan.Leave && !past.Cut {
		qs = append(qs, r.sure("Give this PC up, so that another one takes its place?"))
	}
	return r.con.Ask(qs)
}

func atStep(step string) string {
	if step == "" {
		return ""
	}
	return fmt.Sprintf(" at %q", strings.ToLower(plan.Says[plan.Step(step)]))
}

func (r *run) askHub() console.Question {
	return console.Question{
		Text: "Head office's address", Help: "Head office told you an address and a code for this PC.",
		Default: func() string { return r.opt.hub },
		Take: func(a string) string {
			if a == "" || strings.ContainsAny(a, " \t@") {
				return "Please type it as head office wrote it, such as hub.example.com."
			}
			r.opt.hub = a
			return ""
		},
	}
}

func (r *run) askCode() console.Question {
	return console.Question{
		Text: "Code for this PC", Default: func() string { return r.opt.code },
		Take: func(a string) string {
			if n := len(strings.NewReplacer("-", "", " ", "").Replace(a)); n < 8 || n > 64 {
				return "That is no code: it looks like ABCD-EFGH-JKLM-NPQR. Ask head office for one."
			}
			r.opt.code, r.want.Code = a, true
			return ""
		},
	}
}

// sure asks before something ends.
func (r *run) sure(text string) console.Question {
	yes := false
	return console.Question{
		Text: text + " (y/n)", Default: func() string { return "n" },
		Take: func(a string) string {
			if p := console.YesNo(a, &yes); p != "" {
				return p
			}
			if !yes {
				return "Then nothing is changed. Type quit to end, or y to go on."
			}
			return ""
		},
	}
}

// menu is what a PC on which Tillpost is already offers.
func (r *run) menu(does plan.Action) error {
	words := map[plan.Action]string{
		plan.Upgrade:   fmt.Sprintf("Upgrade from %s to %s", r.facts.Installed, r.facts.Payload),
		plan.Repair:    "Repair: register and start the service anew",
		plan.ReEnrol:   "Redeem a new code on this PC",
		plan.Leave:     "Give this PC up: another one takes its place",
		plan.Uninstall: "Take Tillpost off this PC; what was not sent stays",
	}
	var acts []plan.Action
	var choices []string
	for _, a := range []plan.Action{plan.Upgrade, plan.Repair, plan.ReEnrol, plan.Leave, plan.Uninstall} {
		if a == plan.Upgrade && does != plan.Upgrade {
			continue
		}
		acts, choices = append(acts, a), append(choices, words[a])
	}
	again := func() bool { return r.want.Action != plan.ReEnrol }
	hub, code := r.askHub(), r.askCode()
	hub.Skip, code.Skip = again, again
	ends := r.sure("Are you sure?")
	ends.Skip = func() bool { return r.want.Action != plan.Uninstall && r.want.Action != plan.Leave }
	return r.con.Ask([]console.Question{{
		Text: "What shall be done", Help: fmt.Sprintf("Tillpost %s is on this PC.", r.facts.Installed), Choices: choices, Default: func() string { return "1" },
		Take: func(a string) string { r.want.Action = acts[number(a)-1]; return "" },
	}, hub, code, ends})
}

// number is a choice that was checked.
func number(a string) (n int) {
	_, _ = fmt.Sscan(a, &n)
	return n
}
