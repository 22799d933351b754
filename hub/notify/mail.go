package notify

import (
	"context"
	"errors"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/tillpost/tillpost/shared/fault"
)

// Mail sends notices by SMTP.
type Mail struct {
	Host     string
	Port     int
	User     string
	Password func() (string, error) // read at each try, so that a renewed one is used; nil = no login
	TLS      bool                   // required; false only for a relay on this machine
	From     string
	To       []string
	Base     string // the hub's address
}

// sendWithin bounds one delivery, so that a mail server that hangs delays nothing else for long.
const sendWithin = 30 * time.Second

// Name implements Channel.
func (m Mail) Name() string { return "mail" }

// Send implements Channel. The Message-ID is the notice's id: a mail server that gets it twice shows it once.
func (m Mail) Send(ctx context.Context, n Notice) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	msg := mail.NewMsg()
	if err := errors.Join(msg.From(m.From), msg.To(m.To...)); err != nil {
		return fault.New(fault.Invalid, "send mail", err)
	}
	msg.Subject("Tillpost: " + n.Subject())
	msg.SetMessageIDWithValue(n.ID + "@tillpost")
	msg.SetDateWithValue(n.At)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no out-of-office reply comes back
	msg.SetBodyString(mail.TypeTextPlain, n.Text(m.Base))
	o := []mail.Option{mail.WithPort(m.Port), mail.WithTimeout(sendWithin), mail.WithTLSPolicy(mail.TLSMandatory)}
	if !m.TLS {
		o = append(o, mail.WithTLSPolicy(mail.NoTLS))
	}
	if m.Password != nil {
		secret, err := m.Password()
		if err != nil {
			return err
		}
		o = append(o, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.User), mail.WithPassword(secret))
	}
	c, err := mail.NewClient(m.Host, o...)
	if err != nil {
		return fault.New(fault.Invalid, "send mail", err)
	}
	return fault.New(fault.Unavailable, "send mail", c.DialAndSendWithContext(ctx, msg))
}
