package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"souk/federation"
)

const (
	lookupFor    = 3 * time.Second // for all questions to a visitor's server
	templatesFor = 24 * time.Hour
	deafFor      = time.Minute // a server that did not answer is not asked again so soon
	maxHosts     = 2000
)

// templates are the addresses at a visitor's server that take a follow or an answer from here, with a placeholder for
// its object. Empty ones are not offered there.
type templates struct {
	follow string
	reply  string
}

// fill puts the address of the object into a template.
func fillTemplate(template, object string) string {
	escaped := url.QueryEscape(object)
	filled := strings.NewReplacer("{uri}", escaped, "{object}", escaped, "{inReplyTo}", escaped).Replace(template)
	// FEP-3b86 templates have places for what we have nothing to say to.
	return placeholder.ReplaceAllString(filled, "")
}

// homes remembers what visitors' servers said.
type homes struct {
	flight singleflight.Group
	mu     sync.Mutex
	known  map[string]knownHome
}

type knownHome struct {
	templates
	err   error
	until time.Time
}

func (h *homes) recall(host string, now time.Time) (knownHome, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k, ok := h.known[host]
	return k, ok && now.Before(k.until)
}

func (h *homes) remember(host string, k knownHome, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.known) >= maxHosts {
		for host, old := range h.known {
			if !now.Before(old.until) || len(h.known) >= maxHosts {
				delete(h.known, host)
			}
		}
	}
	h.known[host] = k
}

// lookUp asks a visitor's server where it takes a follow (S-42): FEP-3b86 intents, else the OStatus template, else what
// its software is known to have. An error means that it did not answer; no templates, that it names no such place.
func (w *Web) lookUp(ctx context.Context, h home) (templates, error) {
	now := w.DB.Now()
	if k, ok := w.homes.recall(h.host, now); ok {
		return k.templates, k.err
	}
	k, err := shared(ctx, &w.homes.flight, h.host, lookupFor, func(ctx context.Context) (knownHome, error) {
		found, err := w.askHome(ctx, h)
		k := knownHome{found, err, now.Add(templatesFor)}
		if err != nil {
			k.until = now.Add(deafFor)
		}
		w.homes.remember(h.host, k, now)
		return k, nil
	})
	if err != nil {
		return templates{}, err
	}
	return k.templates, k.err
}

func (w *Web) askHome(ctx context.Context, h home) (templates, error) {
	var jrd struct {
		Links []struct{ Rel, Template string } `json:"links"`
	}
	at, err := w.wellKnown(ctx, h.host, "/.well-known/webfinger?resource="+url.QueryEscape(h.account()), &jrd, "application/jrd+json")
	var t templates
	if err == nil {
		by := map[string]string{}
		for _, l := range jrd.Links {
			if by[l.Rel] == "" {
				by[l.Rel] = l.Template
			}
		}
		t.follow = pick(at, by["https://w3id.org/fep/3b86/Follow"], "{object}", by["http://ostatus.org/schema/1.0/subscribe"], "{uri}")
		t.reply = pick(at, by["https://w3id.org/fep/3b86/Create"], "{inReplyTo}", by["https://w3id.org/fep/3b86/Object"], "{object}",
			by["http://ostatus.org/schema/1.0/subscribe"], "{uri}")
		if t != (templates{}) {
			return t, nil
		}
	}
	software, at, failed := w.software(ctx, h.host)
	if failed != nil {
		if err == nil || answered(err) || answered(failed) {
			return t, nil // it is there, and offers nothing
		}
		return t, err
	}
	if path := interactionPaths[software]; path != "" {
		known := pick(at, strings.TrimSuffix(originOf(at), "/")+path, "{uri}")
		return templates{known, known}, nil
	}
	return t, nil
}

// answered tells a server that said something useless from one that said nothing.
func answered(err error) bool {
	var status *federation.StatusError
	return errors.As(err, &status) || errors.Is(err, federation.ErrContentType) || errors.Is(err, federation.ErrJSON)
}

// interactionPaths are where software that publishes no template takes the address of an account or post.
var interactionPaths = map[string]string{
	"mastodon": "/authorize_interaction?uri={uri}", "hometown": "/authorize_interaction?uri={uri}", "glitchcafe": "/authorize_interaction?uri={uri}",
	"souk": "/authorize_interaction?uri={uri}", "misskey": "/authorize-follow?acct={uri}", "sharkey": "/authorize-follow?acct={uri}",
	"firefish": "/authorize-follow?acct={uri}", "pleroma": "/ostatus_subscribe?acct={uri}", "akkoma": "/ostatus_subscribe?acct={uri}",
	"friendica": "/contact/follow?url={uri}",
}

// software is the name of what a server runs (NodeInfo), and the address that said so.
func (w *Web) software(ctx context.Context, host string) (name, at string, err error) {
	var links struct {
		Links []struct{ Rel, Href string } `json:"links"`
	}
	if at, err = w.wellKnown(ctx, host, "/.well-known/nodeinfo", &links); err != nil {
		return "", "", err
	}
	for _, l := range links.Links {
		if strings.HasPrefix(l.Rel, "http://nodeinfo.diaspora.software/ns/schema/") && originOf(l.Href) == originOf(at) {
			var info struct {
				Software struct{ Name string } `json:"software"`
			}
			if _, err := w.readJSON(ctx, l.Href, &info); err != nil {
				return "", "", err
			}
			return strings.ToLower(info.Software.Name), at, nil
		}
	}
	return "", at, nil
}

// wellKnown reads a document of a host over https, or, where this node itself speaks http in development, over that
// first: the client takes it to allowed networks only. at is where the answer came from, after redirects.
func (w *Web) wellKnown(ctx context.Context, host, path string, into any, accept ...string) (at string, err error) {
	if strings.HasPrefix(w.DB.BaseURL(), "http://") {
		if at, err = w.readJSON(ctx, "http://"+host+path, into, accept...); err == nil || ctx.Err() != nil {
			return at, err
		}
	}
	return w.readJSON(ctx, "https://"+host+path, into, accept...)
}

func (w *Web) readJSON(ctx context.Context, address string, into any, accept ...string) (at string, err error) {
	fetched, err := w.Client.JSON(ctx, address, accept...)
	if err != nil {
		return "", err
	}
	return fetched.FinalURL, json.Unmarshal(fetched.Body, into)
}

// pick is the first usable template of some, each followed by the placeholder that it must hold. at is where it was
// found: a template over plain http is taken only from the same server over plain http, which means an allowed network.
func pick(at string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		template := pairs[i]
		if len(template) > 2048 || !strings.Contains(template, pairs[i+1]) {
			continue
		}
		filled := fillTemplate(template, "x")
		u, err := url.Parse(filled)
		if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(filled, " \t\r\n\\\"<>") {
			continue
		}
		// The object must not be able to become the host.
		if before, _, _ := strings.Cut(template, "{"); !strings.Contains(strings.TrimPrefix(strings.TrimPrefix(before, "https://"), "http://"), "/") {
			continue
		}
		if u.Scheme == "https" || u.Scheme == "http" && originOf(filled) == originOf(at) {
			return template
		}
	}
	return ""
}

// originOf is scheme and host of an address; "" where it has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}
