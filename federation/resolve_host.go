package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"souk"
)

func queryEscape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%40", "@") }

// wellKnown reads a JSON document at a path of a host. https is tried first; plain http, which the client takes only to
// networks that are allowed for development, first where this node speaks it itself.
func (f *Federation) wellKnown(ctx context.Context, host, path string, into any, accept ...string) error {
	schemes := []string{"https://", "http://"}
	if strings.HasPrefix(f.db.BaseURL(), "http://") {
		slices.Reverse(schemes)
	}
	var failed error
	for _, scheme := range schemes {
		err := f.readJSON(ctx, scheme+host+path, into, accept...)
		var status *StatusError
		if err == nil || errors.As(err, &status) || ctx.Err() != nil {
			return err
		}
		// What https said is the reason that a person can do something with.
		if failed == nil || !errors.Is(err, ErrBadURL) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func (f *Federation) readJSON(ctx context.Context, address string, into any, accept ...string) error {
	host := hostOf(address)
	if host == "" {
		return ErrBadURL
	}
	if refused, err := f.db.Refused(ctx, host, address); err != nil {
		return err
	} else if refused {
		return souk.ErrForbidden
	}
	if err := f.peers.ask(host, ownPurse, f.db.Now()); err != nil {
		return err
	}
	fetched, err := f.cfg.Client.JSON(ctx, address, accept...)
	f.peers.answered(host, f.db.Now(), err)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(fetched.Body, into); err != nil {
		return malformed("%v", err)
	}
	return nil
}

// DescribeHost asks a host what it runs (NodeInfo) and where its catalogue is, and stores it. host is as souk.Account
// has it: with the port unless that is the usual one.
func (f *Federation) DescribeHost(ctx context.Context, host string) (_ *souk.Host, err error) {
	defer wrap(&err, "describe host %.200q", host)
	if f.ownDomain(host) {
		return nil, foreign("%.200q is this node", host)
	}
	var links struct {
		Links []jrdLink `json:"links"`
	}
	if err := f.wellKnown(ctx, host, "/.well-known/nodeinfo", &links); err != nil {
		return nil, err
	}
	address := ""
	for _, version := range []string{"2.1", "2.0"} {
		i := slices.IndexFunc(links.Links, func(l jrdLink) bool { return l.Rel == nodeInfoSchema+version && hostOf(l.Href) == host })
		if i >= 0 {
			address = links.Links[i].Href
			break
		}
	}
	if address == "" {
		return nil, malformed("nodeinfo of %.200q names no version 2 of its own", host)
	}
	var info struct {
		Software nodeSoftware `json:"software"`
		// Some servers have an empty array where an object is meant.
		Metadata json.RawMessage `json:"metadata"`
	}
	if err := f.readJSON(ctx, address, &info); err != nil {
		return nil, err
	}
	if err := f.db.DescribeHost(ctx, host, strings.ToLower(info.Software.Name), catalogueIn(info.Metadata, host)); err != nil {
		return nil, err
	}
	return f.db.Host(ctx, host)
}

// catalogueIn is the catalogue that the metadata of a NodeInfo names, where it is of that host.
func catalogueIn(metadata json.RawMessage, host string) string {
	var named struct {
		Catalogue string `json:"catalogue"`
	}
	if json.Unmarshal(metadata, &named) != nil || !validIRI(named.Catalogue) || hostOf(named.Catalogue) != host {
		return ""
	}
	return named.Catalogue
}

// describedHost is what is known of a host, asked for where nothing is.
func (f *Federation) describedHost(ctx context.Context, host string) (*souk.Host, error) {
	known, err := f.db.Host(ctx, host)
	if err == nil && known.Software != "" || err != nil && !errors.Is(err, souk.ErrNotFound) {
		return known, err
	}
	return f.DescribeHost(ctx, host)
}
