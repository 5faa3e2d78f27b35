package jobs

import (
	"bytes"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// message is the letter as it travels (RFC 5322): headers that hold nothing but what they should, and the text in
// quoted-printable, so that every server passes it on as it is.
func (l *letter) message(from mail.Address, id string, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	head := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	head("From", address(from))
	head("To", address(l.to))
	if l.replyTo != nil {
		head("Reply-To", address(*l.replyTo))
	}
	head("Subject", word(l.subject))
	head("Date", at.Format(time.RFC1123Z))
	head("Message-ID", "<"+id+">")
	head("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	head("Content-Language", l.lang)
	head("MIME-Version", "1.0")
	head("Content-Type", "text/plain; charset=utf-8")
	head("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	if _, err := body.Write([]byte(strings.ReplaceAll(l.text, "\n", "\r\n"))); err != nil {
		return nil, err
	}
	if err := body.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// address is name and address for a header. The name is without control characters, whatever it was.
func address(a mail.Address) string {
	a.Name = oneLine(a.Name)
	return fold(a.String())
}

// word is a text for a header: plain where it is ASCII, else in encoded words (RFC 2047).
func word(s string) string { return fold(mime.QEncoding.Encode("utf-8", oneLine(s))) }

// fold breaks between encoded words, where a header may be broken (RFC 5322, 2.2.3).
func fold(s string) string { return strings.ReplaceAll(s, "?= =?", "?=\r\n =?") }

// oneLine keeps what somebody typed from starting another header.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)), " ")
}
