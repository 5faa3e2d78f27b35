package federation

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"souk"
)

type jrd struct {
	Subject string    `json:"subject"`
	Aliases []string  `json:"aliases"`
	Links   []jrdLink `json:"links"`
}

// The relations that lead to a server's own actor: FEP-d556 in WebFinger, FEP-2677 in NodeInfo.
const (
	relService     = activityStreamsProfile + "#Service"
	relApplication = activityStreamsProfile + "#Application"
)

type jrdLink struct {
	Rel      string `json:"rel"`
	Type     string `json:"type,omitempty"`
	Href     string `json:"href,omitempty"`
	Template string `json:"template,omitempty"`
}

// WebFinger answers who a resource of this node is (RFC 7033): acct:name@domain in any case, with the domain of handles
// or of addresses; the address of an actor or of a profile page. acct:domain@domain and the node's own address are its
// instance actor (FEP-d556). rels, where there are any, are the only relations of links that are answered (4.3). A resource
// that cannot be read is a *souk.Invalid, to be answered by 400; one that is not of this node, or nobody, is
// souk.ErrNotFound.
func (f *Federation) WebFinger(ctx context.Context, resource string, rels ...string) (_ *Document, err error) {
	defer wrap(&err, "webfinger %.200q", resource)
	a, err := f.resource(ctx, resource)
	if err != nil {
		return nil, err
	}
	if a.Suspended != nil {
		return nil, souk.ErrNotFound
	}
	found := jrd{
		Subject: "acct:" + a.Name + "@" + f.db.HandleDomain(),
		Aliases: []string{a.URL, a.URI},
		Links: []jrdLink{
			{Rel: "http://webfinger.net/rel/profile-page", Type: "text/html", Href: a.URL},
			{Rel: "self", Type: activityMedia, Href: a.URI},
			{Rel: "self", Type: ldMedia + `; profile="` + activityStreamsProfile + `"`, Href: a.URI},
			{Rel: "http://ostatus.org/schema/1.0/subscribe", Template: f.db.BaseURL() + "/authorize_interaction?uri={uri}"},
		},
	}
	if a.Role == souk.RoleInstance {
		found.Links = append(found.Links, jrdLink{Rel: relService, Type: activityMedia, Href: a.URI})
	}
	if a.Avatar != nil {
		portrait := encoder{f.db}.portrait(a.Avatar, 400)
		found.Links = append(found.Links, jrdLink{Rel: "http://webfinger.net/rel/avatar", Type: portrait.MediaType, Href: portrait.URL})
	}
	if len(rels) > 0 {
		found.Links = slices.DeleteFunc(found.Links, func(l jrdLink) bool { return !slices.Contains(rels, l.Rel) })
	}
	doc, err := answer(found)
	if err == nil {
		doc.ContentType = jrdMedia
	}
	return doc, err
}

// resource finds the local account that a WebFinger resource names.
func (f *Federation) resource(ctx context.Context, resource string) (*souk.Account, error) {
	name, domain, address, err := readResource(resource)
	switch {
	case err != nil:
		return nil, err
	case address != nil:
		return f.addressed(ctx, address)
	case !f.ownDomain(domain):
		return nil, souk.ErrNotFound
	case f.ownDomain(name):
		return f.db.InstanceActor(ctx)
	}
	return f.db.LocalAccount(ctx, name)
}

// readResource reads a WebFinger resource: the parts of an account, with or without acct: and a leading @, or an http(s)
// address. What is neither is a *souk.Invalid.
func readResource(resource string) (name, domain string, address *url.URL, err error) {
	malformed := &souk.Invalid{Problems: []souk.Problem{{Field: "resource", Code: "resource", Message: "use acct:name@domain or an https address"}}}
	if resource == "" || len(resource) > 2048 || !utf8.ValidString(resource) || strings.ContainsFunc(resource, unicode.IsControl) {
		return "", "", nil, malformed
	}
	scheme, rest, found := strings.Cut(resource, ":")
	switch {
	case found && strings.EqualFold(scheme, "acct"):
		resource = rest
	case found && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http")):
		address, err := url.Parse(resource)
		if err != nil || address.Host == "" || address.User != nil {
			return "", "", nil, malformed
		}
		return "", "", address, nil
	}
	name, domain, found = strings.Cut(strings.TrimPrefix(resource, "@"), "@")
	if !found || name == "" || domain == "" || strings.ContainsAny(domain, "@/ ") {
		return "", "", nil, malformed
	}
	return name, domain, nil, nil
}

func (f *Federation) ownDomain(domain string) bool {
	return strings.EqualFold(domain, f.db.HandleDomain()) || strings.EqualFold(domain, f.db.Domain())
}

// addressed finds the local account behind an address of this node.
func (f *Federation) addressed(ctx context.Context, u *url.URL) (*souk.Account, error) {
	if !f.ownDomain(u.Host) {
		return nil, souk.ErrNotFound
	}
	switch path := u.Path; {
	case path == "" || path == "/" || path == "/actor":
		return f.db.InstanceActor(ctx)
	case path == "/catalogue":
		return f.db.Catalogue(ctx)
	case strings.HasPrefix(path, "/users/"), strings.HasPrefix(path, "/@"):
		return f.person(ctx, strings.TrimPrefix(strings.TrimPrefix(path, "/users/"), "/@"))
	}
	return nil, souk.ErrNotFound
}

// HostMeta says where WebFinger is (RFC 6415).
func (f *Federation) HostMeta() (*Document, error) {
	type link struct {
		Rel      string `xml:"rel,attr"`
		Type     string `xml:"type,attr"`
		Template string `xml:"template,attr"`
	}
	type xrd struct {
		XMLName xml.Name `xml:"http://docs.oasis-open.org/ns/xri/xrd-1.0 XRD"`
		Link    link
	}
	body, err := xml.MarshalIndent(xrd{Link: link{Rel: "lrdd", Type: jrdMedia,
		Template: f.db.BaseURL() + "/.well-known/webfinger?resource={uri}"}}, "", "  ")
	if err != nil {
		return nil, err
	}
	return &Document{Status: http.StatusOK, ContentType: xrdMedia, Body: append([]byte(xml.Header), body...)}, nil
}
