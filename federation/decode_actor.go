package federation

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"souk"
)

const (
	maxActorName   = 100
	maxActorFields = 32
	maxActorBio    = 32 << 10
)

// actorTypes are the types of actors (ActivityStreams vocabulary, 3.2).
var actorTypes = [...]string{"Person", "Service", "Application", "Organization", "Group"}

// isActor reports whether an object is an actor: by its type, or, where the type is an extension, by having an inbox and a key.
func (o object) isActor() bool {
	return o.is(actorTypes[:]...) || o.text("inbox") != "" && o.object("publicKey") != nil
}

// actorKey is one public key of an actor document.
type actorKey struct{ id, pem string }

// keys are the usable keys of an actor document: of the actor's origin, and saying to be the actor's (the other half of
// "the actor says that this is its key"; FEP-fe34).
func (o object) keys() []actorKey {
	id := o.self()
	var list []actorKey
	for _, k := range o.objects("publicKey") {
		key := actorKey{id: k.self(), pem: k.text("publicKeyPem")}
		if owner := k.first("owner", "controller"); owner != "" && owner != id {
			continue
		}
		if key.pem == "" || len(key.pem) > maxKeyPEM || sameOriginOrNone(key.id, id) == "" {
			continue
		}
		list = append(list, key)
	}
	return list
}

// decodeActor reads an actor document. keyID chooses among several keys; "" takes the first. The id is trusted only as
// far as the caller knows that the document came from its origin. Addresses of other origins are dropped: an actor speaks
// for one server.
func decodeActor(o object, keyID string, now time.Time) (*souk.RemoteAccount, error) {
	id := o.self()
	switch {
	case !validIRI(id):
		return nil, malformed("actor with the id %.200q", id)
	case !o.isActor():
		return nil, malformed("%.50q is not an actor", o.kind())
	case sameOriginOrNone(o.text("inbox"), id) == "":
		return nil, malformed("actor %.200q has no inbox of its own origin", id)
	}
	name, err := actorName(o)
	if err != nil {
		return nil, err
	}
	r := &souk.RemoteAccount{Account: souk.Account{Host: hostOf(id), Name: name, Kind: actorKind(o), URI: id, URL: o.page(), Inbox: o.text("inbox"),
		Outbox: sameOriginOrNone(o.id("outbox"), id), FollowersURI: sameOriginOrNone(o.id("followers"), id),
		FollowingURI: sameOriginOrNone(o.id("following"), id), FeaturedURI: sameOriginOrNone(o.id("featured"), id),
		DisplayName: plainName(o.text("name"), maxActorName), Bio: souk.Sanitise(cut(o.text("summary"), maxActorBio)),
		Locked: o.yes("manuallyApprovesFollowers"), Discoverable: o.yes("discoverable"), Indexable: o.yes("indexable"),
		Memorial: o.yes("memorial"), Created: o.time("published", now)}}
	if endpoints := o.object("endpoints"); endpoints != nil {
		r.SharedInbox = sameOriginOrNone(endpoints.text("sharedInbox"), id)
	}
	if said := o.date("updated").Truncate(time.Second); !said.IsZero() {
		r.Said = &said
	}
	r.Stub = o["outbox"] == nil && o["followers"] == nil && o["name"] == nil && o["summary"] == nil
	if r.URL == "" {
		r.URL = id
	}
	keys := o.keys()
	if i := slices.IndexFunc(keys, func(k actorKey) bool { return k.id == keyID }); i > 0 {
		keys = keys[i:]
	}
	if len(keys) > 0 {
		r.KeyID, r.PublicKey = keys[0].id, keys[0].pem
	}
	r.Fields = actorFields(o)
	r.AvatarURL, r.HeaderURL = pictureURL(o, "icon"), pictureURL(o, "image")
	for _, alias := range o.ids("alsoKnownAs") {
		if validIRI(alias) && len(r.AlsoKnownAs) < 10 {
			r.AlsoKnownAs = append(r.AlsoKnownAs, alias)
		}
	}
	if moved := o.id("movedTo"); validIRI(moved) {
		r.MovedTo = moved
	}
	if o.yes("suspended") {
		// Its own server shows nothing of it any more, and neither does this one.
		r.SuspendedThere = true
		r.DisplayName, r.Bio, r.Fields, r.AvatarURL, r.HeaderURL = "", "", nil, "", ""
		r.Discoverable, r.Indexable = false, false
	}
	return r, nil
}

// actorName is the part of the handle before the host. It must not be able to look like another handle or address.
func actorName(o object) (string, error) {
	name := o.text("preferredUsername")
	if name == "" {
		name = lastSegment(o.self()) // services without people, such as relays
	}
	if name == "" || utf8.RuneCountInString(name) > maxActorName {
		return "", malformed("actor %.200q has no usable name", o.self())
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("_.-~", r) {
			if r == ':' && name == hostOf(o.self()) { // a node's own actor is named as its host
				continue
			}
			return "", malformed("actor %.200q has the name %.100q", o.self(), name)
		}
	}
	return name, nil
}

// plainName is a short text without markup: some servers put HTML into names. It has no controls that turn the direction of
// what stands behind it in a page: a name could read as another one, or turn the handle after it.
func plainName(s string, n int) string {
	return cut(strings.Map(func(r rune) rune {
		if r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return -1
		}
		return r
	}, souk.Plain(cut(s, 10*n))), n)
}

// actorKind is the actor's type as souk keeps it; extensions count as Person.
func actorKind(o object) string {
	for _, t := range o.types() {
		if slices.Contains(actorTypes[:], t) {
			return t
		}
	}
	return "Person"
}

// actorFields are the rows of the profile (PropertyValue, as Mastodon began to send them).
func actorFields(o object) []souk.Field {
	var list []souk.Field
	for _, f := range o.objects("attachment") {
		if f.is("PropertyValue") && len(list) < maxActorFields {
			if name := plainName(f.text("name"), 255); name != "" {
				list = append(list, souk.Field{Name: name, Value: souk.Sanitise(cut(f.text("value"), 2047))})
			}
		}
	}
	return list
}

// pictureURL is the address of an actor's picture: an Image, a Link, a string, or an array of them, whose first counts.
func pictureURL(o object, key string) string {
	for _, v := range o.values(key) {
		address, _ := link(v)
		if m, ok := v.(map[string]any); ok && address == "" {
			for _, u := range object(m).values("url") {
				if address, _ = link(u); address != "" {
					break
				}
			}
		}
		if validIRI(address) {
			return address
		}
	}
	return ""
}

// cut shortens a text to n runes.
func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
