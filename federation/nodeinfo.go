package federation

import (
	"context"
	"time"

	"souk"
)

const nodeInfoSchema = "http://nodeinfo.diaspora.software/ns/schema/"

type nodeInfo struct {
	Version           string           `json:"version"`
	Software          nodeSoftware     `json:"software"`
	Protocols         []string         `json:"protocols"`
	Services          nodeServices     `json:"services"`
	OpenRegistrations bool             `json:"openRegistrations"`
	Usage             nodeUsage        `json:"usage"`
	Metadata          nodeInfoMetadata `json:"metadata"`
}

type nodeSoftware struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type nodeServices struct {
	Inbound  []string `json:"inbound"`
	Outbound []string `json:"outbound"`
}

type nodeUsage struct {
	Users         nodeUsers `json:"users"`
	LocalPosts    int       `json:"localPosts"`
	LocalComments int       `json:"localComments"`
}

type nodeUsers struct {
	Total          int `json:"total"`
	ActiveMonth    int `json:"activeMonth"`
	ActiveHalfyear int `json:"activeHalfyear"`
}

type nodeInfoMetadata struct {
	NodeName        string `json:"nodeName"`
	NodeDescription string `json:"nodeDescription"`
	// Catalogue is the actor that other nodes follow to index what is for sale here.
	Catalogue string `json:"catalogue"`
	// Upstream names whose client API is spoken: apps built on megalodon refuse a software that they do not know without it.
	Upstream nodeUpstream `json:"upstream"`
}

type nodeUpstream struct {
	Name string `json:"name"`
}

// NodeInfoLinks is /.well-known/nodeinfo. Both versions are listed, since some clients know only 2.0; and the instance actor
// (FEP-2677).
func (f *Federation) NodeInfoLinks() (*Document, error) {
	doc, err := answer(map[string][]jrdLink{"links": {
		{Rel: nodeInfoSchema + "2.0", Href: f.db.BaseURL() + "/nodeinfo/2.0"},
		{Rel: nodeInfoSchema + "2.1", Href: f.db.BaseURL() + "/nodeinfo/2.1"},
		{Rel: relApplication, Href: f.db.BaseURL() + "/actor"},
	}})
	if err == nil {
		doc.ContentType = "application/json"
	}
	return doc, err
}

// NodeInfo describes the node in version "2.0" or "2.1" of the schema; others are souk.ErrNotFound.
func (f *Federation) NodeInfo(ctx context.Context, version string) (_ *Document, err error) {
	defer wrap(&err, "nodeinfo %.20q", version)
	if version != "2.0" && version != "2.1" {
		return nil, souk.ErrNotFound
	}
	shop, err := f.db.Shop(ctx)
	if err != nil {
		return nil, err
	}
	usage, err := f.usage(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := answer(nodeInfo{Version: version, Software: nodeSoftware{Name: "souk", Version: f.cfg.Version},
		Protocols: []string{"activitypub"}, Services: nodeServices{Inbound: []string{}, Outbound: []string{}}, Usage: usage,
		Metadata: nodeInfoMetadata{NodeName: shop.Name, NodeDescription: shop.Tagline, Catalogue: f.db.BaseURL() + "/catalogue",
			Upstream: nodeUpstream{Name: "mastodon"}}})
	if err == nil {
		doc.ContentType = `application/json; profile="` + nodeInfoSchema + version + `#"`
	}
	return doc, err
}

// usageFor is for how long counted usage is told again: some apps ask with every page.
const usageFor = 10 * time.Minute

func (f *Federation) usage(ctx context.Context) (nodeUsage, error) {
	return f.counted.get(f.db.Now(), usageFor, func() (nodeUsage, error) { return f.countUsage(ctx) })
}

// countUsage counts the people of the node, those of them who posted in the last 30 and 180 days, and what they posted.
func (f *Federation) countUsage(ctx context.Context) (u nodeUsage, err error) {
	err = f.db.Pool().QueryRow(ctx, `select
			(select count(*) from accounts where host = '' and role in ('owner', 'seller', 'member') and deleted is null and suspended is null),
			count(distinct account_id) filter (where published > $1::timestamptz - interval '30 days'),
			count(distinct account_id) filter (where published > $1::timestamptz - interval '180 days'),
			count(*) filter (where in_reply_to_uri = ''), count(*) filter (where in_reply_to_uri <> '')
		from posts where local and deleted is null and kind <> 'boost' and visibility in ('public', 'unlisted')`, f.db.Now()).
		Scan(&u.Users.Total, &u.Users.ActiveMonth, &u.Users.ActiveHalfyear, &u.LocalPosts, &u.LocalComments)
	return u, err
}
