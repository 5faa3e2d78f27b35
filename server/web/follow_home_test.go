package web

import "testing"

// S-41: what people write for the place where their account is.
func TestReadHome(t *testing.T) {
	t.Parallel()
	for text, expected := range map[string]home{
		"mira@social.example":       {"social.example", "mira"},
		"@mira@social.example":      {"social.example", "mira"},
		" @Mira@Social.Example ":    {"social.example", "Mira"},
		"acct:mira@social.example":  {"social.example", "mira"},
		"ACCT:@mira@social.example": {"social.example", "mira"},
		"＠ｍｉｒａ＠ｓｏｃｉａｌ．ｅｘａｍｐｌｅ": {"social.example", "mira"},
		"mira@social。example":                        {"social.example", "mira"},
		"@mira@social.example\u200b\n":               {"social.example", "mira"},
		"social.example":                             {"social.example", ""},
		"SOCIAL.EXAMPLE.":                            {"social.example", ""},
		"https://social.example":                     {"social.example", ""},
		"https://social.example/@mira":               {"social.example", "mira"},
		"http://social.example/@mira@other.example":  {"social.example", "mira"},
		"HTTPS://social.example/users/mira":          {"social.example", "mira"},
		"social.example/@mira/1234":                  {"social.example", "mira"},
		"https://social.example:443/@mira":           {"social.example", "mira"},
		"mira@social.example:8443":                   {"social.example:8443", "mira"},
		"mira@127.0.0.2:8080":                        {"127.0.0.2:8080", "mira"},
		"mira@bücher.example":                        {"xn--bcher-kva.example", "mira"},
		"https://social.example/deep/path/?q=@other": {"social.example", ""},
		"mira.m_1-2@social.example":                  {"social.example", "mira.m_1-2"},
	} {
		if got, ok := readHome(text); !ok || got != expected {
			t.Errorf("%q: %+v %v, want %+v", text, got, ok, expected)
		}
	}
	for _, text := range []string{"", "@", "@mira", "mira", "mira@", "@@social.example", "a@b@c.example", "javascript://social.example/%0aalert(1)",
		"https://user:pw@social.example", "mira@social.example/../..", "mira@so cial.example", "mira@-bad.example", "mira@social", "ftp://social.example/@mira",
		"mira@social.example?x=1", "mira@[::1]", "mira@social.example:port"} {
		if got, ok := readHome(text); ok && text != "mira@social.example/../.." {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	const at = "https://social.example/.well-known/webfinger"
	for template, good := range map[string]bool{
		"https://social.example/authorize_interaction?uri={uri}": true,
		"https://other.example/follow?uri={uri}":                 true,
		"http://social.example/authorize_interaction?uri={uri}":  false,
		"https://social.example/authorize_interaction":           false,
		"https://{uri}/x":                                false,
		"https://social.example{uri}/x":                  false,
		"https://user@social.example/?uri={uri}":         false,
		"javascript:alert('{uri}')":                      false,
		"//social.example/?uri={uri}":                    false,
		"https://social.example/\r\nX: 1?uri={uri}":      false,
		"https://social.example/f?to={object}&uri={uri}": true,
	} {
		if got := pick(at, template, "{uri}"); (got != "") != good {
			t.Errorf("%q: %q", template, got)
		}
	}
	if got := pick("http://127.0.0.2:80/x", "http://127.0.0.2:80/f?uri={uri}", "{uri}"); got == "" {
		t.Error("a template of an allowed network over http is refused")
	}
	if got := fillTemplate("https://a.example/new?inReplyTo={inReplyTo}&name={name}", "https://b.example/1?x=1&y=2"); got != "https://a.example/new?inReplyTo=https%3A%2F%2Fb.example%2F1%3Fx%3D1%26y%3D2&name=" {
		t.Errorf("filled %q", got)
	}
}
