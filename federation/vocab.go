package federation

import (
	"bytes"
	"encoding/json"
	"time"
)

// publicAudience is the collection that means everybody (ActivityPub 5.6).
const publicAudience = "https://www.w3.org/ns/activitystreams#Public"

// The contexts of what this node sends: the ActivityStreams URL and one object of our own, never another remote
// context, which could change under us. Each key that is sent stands in one of the two; a key that is not mapped is
// dropped by every JSON-LD reader (jsonld_test.go).
const (
	contextPlain = `"https://www.w3.org/ns/activitystreams"`

	// ActivityStreams reads the value of formerType as a relative address; with this "Note" is the type.
	contextTombstone = `["https://www.w3.org/ns/activitystreams",{"formerType":{"@id":"as:formerType","@type":"@vocab"}}]`

	noteTerms = `"Hashtag":"as:Hashtag","sensitive":"as:sensitive",` +
		`"toot":"http://joinmastodon.org/ns#","blurhash":"toot:blurhash",` +
		`"focalPoint":{"@id":"toot:focalPoint","@container":"@list"},` +
		`"gts":"https://gotosocial.org/ns#","interactionPolicy":{"@id":"gts:interactionPolicy","@type":"@id"},` +
		`"canQuote":{"@id":"gts:canQuote","@type":"@id"},"automaticApproval":{"@id":"gts:automaticApproval","@type":"@id"}`

	contextNote = `["https://www.w3.org/ns/activitystreams",{` + noteTerms + `}]`

	// The intents of FEP-0837; the terms of schema.org under a prefix of our own, since its context redefines those of
	// ActivityStreams.
	contextListing = `["https://www.w3.org/ns/activitystreams",{` + noteTerms + `,` +
		`"vf":"https://w3id.org/valueflows/ont/vf#","om2":"http://www.ontology-of-units-of-measure.org/resource/om-2/",` +
		`"Intent":"vf:Intent","Proposal":"vf:Proposal","proposal":{"@id":"urn:x-souk:proposal","@type":"@id"},"purpose":"vf:purpose","publishes":"vf:publishes","reciprocal":"vf:reciprocal","unitBased":"vf:unitBased",` +
		`"action":"vf:action","resourceConformsTo":{"@id":"vf:resourceConformsTo","@type":"@id"},` +
		`"resourceQuantity":"vf:resourceQuantity","availableQuantity":"vf:availableQuantity",` +
		`"hasUnit":"om2:hasUnit","hasNumericalValue":"om2:hasNumericalValue",` +
		`"sdo":"https://schema.org/","sdo:itemCondition":{"@id":"sdo:itemCondition","@type":"@id"},` +
		`"sdo:availability":{"@id":"sdo:availability","@type":"@id"}}]`

	// An agreement of FEP-0837 and its activities.
	contextAgreement = `["https://www.w3.org/ns/activitystreams",{` +
		`"vf":"https://w3id.org/valueflows/ont/vf#","om2":"http://www.ontology-of-units-of-measure.org/resource/om-2/",` +
		`"Agreement":"vf:Agreement","Commitment":"vf:Commitment","stipulates":"vf:stipulates","stipulatesReciprocal":"vf:stipulatesReciprocal",` +
		`"satisfies":{"@id":"vf:satisfies","@type":"@id"},"resourceQuantity":"vf:resourceQuantity",` +
		`"hasUnit":"om2:hasUnit","hasNumericalValue":"om2:hasNumericalValue",` +
		`"sdo":"https://schema.org/","sdo:orderStatus":{"@id":"sdo:orderStatus","@type":"@id"}}]`

	// Answers to who asks to quote (FEP-044f).
	contextQuote = `["https://www.w3.org/ns/activitystreams",{` +
		`"QuoteRequest":"https://w3id.org/fep/044f#QuoteRequest","QuoteAuthorization":"https://w3id.org/fep/044f#QuoteAuthorization",` +
		`"gts":"https://gotosocial.org/ns#","interactingObject":{"@id":"gts:interactingObject","@type":"@id"},` +
		`"interactionTarget":{"@id":"gts:interactionTarget","@type":"@id"}}]`

	// schema is spelled with http as Mastodon does: it compares the expanded IRI of PropertyValue.
	contextActor = `["https://www.w3.org/ns/activitystreams",{` +
		`"sec":"https://w3id.org/security#","publicKey":{"@id":"sec:publicKey","@type":"@id"},"owner":{"@id":"sec:owner","@type":"@id"},` +
		`"publicKeyPem":"sec:publicKeyPem",` +
		`"manuallyApprovesFollowers":"as:manuallyApprovesFollowers","alsoKnownAs":{"@id":"as:alsoKnownAs","@type":"@id"},` +
		`"movedTo":{"@id":"as:movedTo","@type":"@id"},` +
		`"toot":"http://joinmastodon.org/ns#","featured":{"@id":"toot:featured","@type":"@id"},` +
		`"discoverable":"toot:discoverable","indexable":"toot:indexable","suspended":"toot:suspended","memorial":"toot:memorial",` +
		`"blurhash":"toot:blurhash","focalPoint":{"@id":"toot:focalPoint","@container":"@list"},` +
		`"schema":"http://schema.org#","PropertyValue":"schema:PropertyValue","value":"schema:value",` +
		`"webfinger":"https://purl.archive.org/socialweb/webfinger#webfinger",` +
		`"implements":{"@id":"https://w3id.org/fep/844e/implements","@type":"@id","@container":"@set"},` +
		`"catalogue":{"@id":"urn:x-souk:catalogue","@type":"@id"}}]`
)

// Media types of what is answered.
const (
	jrdMedia = "application/jrd+json"
	xrdMedia = "application/xrd+xml; charset=utf-8"
)

// note is a post or listing on the wire. The order of its fields is the order of the keys.
type note struct {
	Context           json.RawMessage    `json:"@context,omitempty"`
	ID                string             `json:"id"`
	Type              string             `json:"type"`
	AttributedTo      string             `json:"attributedTo"`
	InReplyTo         string             `json:"inReplyTo,omitempty"`
	URL               string             `json:"url"`
	Published         string             `json:"published"`
	Updated           string             `json:"updated,omitempty"`
	To                []string           `json:"to"`
	CC                []string           `json:"cc"`
	Summary           string             `json:"summary,omitempty"`
	Sensitive         bool               `json:"sensitive"`
	Content           string             `json:"content"`
	ContentMap        map[string]string  `json:"contentMap,omitempty"` // one language
	Tag               []tag              `json:"tag"`
	Attachment        []attachment       `json:"attachment"`
	Replies           string             `json:"replies"`
	Likes             string             `json:"likes"`
	Shares            string             `json:"shares"`
	Conversation      string             `json:"context,omitempty"` // FEP-7888
	InteractionPolicy *interactionPolicy `json:"interactionPolicy,omitempty"`

	// FEP-0837; listings only.
	Purpose    string  `json:"purpose,omitempty"`
	UnitBased  bool    `json:"unitBased,omitempty"`
	Publishes  *intent `json:"publishes,omitempty"`
	Reciprocal *intent `json:"reciprocal,omitempty"`
	Proposal   string  `json:"proposal,omitempty"` // the same, typed Proposal
}

// proposal is a listing for those who know ValueFlows and not Notes.
type proposal struct {
	Context      json.RawMessage `json:"@context"`
	ID           string          `json:"id"`
	Type         string          `json:"type"`
	AttributedTo string          `json:"attributedTo"`
	Name         string          `json:"name"`
	Content      string          `json:"content"`
	URL          string          `json:"url"`
	Published    string          `json:"published"`
	Updated      string          `json:"updated,omitempty"`
	To           []string        `json:"to"`
	CC           []string        `json:"cc"`
	Attachment   []attachment    `json:"attachment"`
	Purpose      string          `json:"purpose"`
	UnitBased    bool            `json:"unitBased"`
	Publishes    *intent         `json:"publishes"`
	Reciprocal   *intent         `json:"reciprocal"`
}

// tag is a Hashtag or a Mention.
type tag struct {
	Type string `json:"type"`
	Name string `json:"name"`
	Href string `json:"href"`
}

// attachment is a picture. Its text stands twice, because servers read one or the other (FEP-1311).
type attachment struct {
	Type       string    `json:"type"`
	MediaType  string    `json:"mediaType"`
	URL        string    `json:"url"`
	Name       string    `json:"name,omitempty"`
	Summary    string    `json:"summary,omitempty"`
	Blurhash   string    `json:"blurhash,omitempty"`
	FocalPoint []float32 `json:"focalPoint,omitempty"`
	Width      int       `json:"width,omitempty"`
	Height     int       `json:"height,omitempty"`
}

type interactionPolicy struct {
	CanQuote approval `json:"canQuote"`
}

type approval struct {
	AutomaticApproval []string `json:"automaticApproval"`
}

// intent is one side of a proposal: what is given, or what is asked for it.
type intent struct {
	Type               string   `json:"type"`
	ID                 string   `json:"id"`
	Action             string   `json:"action"`
	ResourceConformsTo string   `json:"resourceConformsTo,omitempty"`
	ResourceQuantity   measure  `json:"resourceQuantity"`
	AvailableQuantity  *measure `json:"availableQuantity,omitempty"`
	Name               string   `json:"sdo:name,omitempty"`
	Description        string   `json:"sdo:description,omitempty"`
	SKU                string   `json:"sdo:sku,omitempty"`
	ItemCondition      string   `json:"sdo:itemCondition,omitempty"`
	Availability       string   `json:"sdo:availability,omitempty"`
	Category           string   `json:"sdo:category,omitempty"`
	PriceCurrency      string   `json:"sdo:priceCurrency,omitempty"`
}

// measure is an amount of a unit; the number is a decimal string.
type measure struct {
	HasUnit           string `json:"hasUnit"`
	HasNumericalValue string `json:"hasNumericalValue"`
}

// tombstone stands where something was deleted (ActivityPub 6.4).
type tombstone struct {
	Context    json.RawMessage `json:"@context,omitempty"`
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	FormerType string          `json:"formerType,omitempty"`
	Deleted    string          `json:"deleted,omitempty"`
}

// activity wraps an object or the id of one.
type activity struct {
	Context    json.RawMessage   `json:"@context,omitempty"`
	ID         string            `json:"id"`
	Type       string            `json:"type"`
	Actor      string            `json:"actor"`
	Published  string            `json:"published,omitempty"`
	To         []string          `json:"to,omitempty"`
	CC         []string          `json:"cc,omitempty"`
	Content    string            `json:"content,omitempty"` // of a Flag; of a Reject the reason
	Object     any               `json:"object"`
	Target     string            `json:"target,omitempty"` // of Add, Remove and Move
	Result     any               `json:"result,omitempty"` // of an Accept: of an Offer an agreement, of a QuoteRequest a stamp's id
	ContentMap map[string]string `json:"contentMap,omitempty"`
}

// agreement is what is given for what, offered or promised (FEP-0837).
type agreement struct {
	Context      json.RawMessage `json:"@context,omitempty"`
	ID           string          `json:"id,omitempty"`
	Type         string          `json:"type"`
	AttributedTo string          `json:"attributedTo,omitempty"`
	Name         string          `json:"name,omitempty"`
	Published    string          `json:"published,omitempty"`
	Updated      string          `json:"updated,omitempty"`
	Stipulates   commits         `json:"stipulates"`
	Reciprocal   *commits        `json:"stipulatesReciprocal,omitempty"`
	URL          *paymentLink    `json:"url,omitempty"`
	Preview      *preview        `json:"preview,omitempty"`
	OrderStatus  string          `json:"sdo:orderStatus,omitempty"`
}

// commits is one side of an agreement.
type commits struct {
	ID               string  `json:"id,omitempty"`
	Type             string  `json:"type"`
	Satisfies        string  `json:"satisfies"`
	ResourceQuantity measure `json:"resourceQuantity"`
}

// paymentLink is the page where a buyer goes on (FEP-0ea0).
type paymentLink struct {
	Type      string   `json:"type"`
	Href      string   `json:"href"`
	MediaType string   `json:"mediaType,omitempty"`
	Rel       []string `json:"rel"`
}

// preview tells in a word how an agreement stands, as Mitra does.
type preview struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

// receipt confirms that an agreement is fulfilled.
type receipt struct {
	ID           string   `json:"id"`
	Type         string   `json:"type"`
	AttributedTo string   `json:"attributedTo"`
	Name         string   `json:"name"`
	Agreement    string   `json:"context"`
	Published    string   `json:"published"`
	To           []string `json:"to"`
}

// actor is an account of this node on the wire.
type actor struct {
	Context      json.RawMessage `json:"@context,omitempty"`
	ID           string          `json:"id"`
	Type         string          `json:"type"`
	Username     string          `json:"preferredUsername"`
	Webfinger    string          `json:"webfinger"` // FEP-2c59
	Name         string          `json:"name"`
	Summary      string          `json:"summary"`
	URL          string          `json:"url"`
	Inbox        string          `json:"inbox"`
	Outbox       string          `json:"outbox"`
	Followers    string          `json:"followers,omitempty"`
	Following    string          `json:"following,omitempty"`
	Featured     string          `json:"featured,omitempty"`
	Endpoints    endpoints       `json:"endpoints"`
	PublicKey    publicKey       `json:"publicKey"`
	Locked       bool            `json:"manuallyApprovesFollowers"`
	Discoverable bool            `json:"discoverable"`
	Indexable    bool            `json:"indexable"`
	Suspended    bool            `json:"suspended,omitempty"`
	Memorial     bool            `json:"memorial"`
	Published    string          `json:"published"`
	Updated      string          `json:"updated,omitempty"`
	AlsoKnownAs  []string        `json:"alsoKnownAs,omitempty"`
	MovedTo      string          `json:"movedTo,omitempty"`
	Attachment   []propertyValue `json:"attachment"`
	Icon         *attachment     `json:"icon,omitempty"`
	Image        *attachment     `json:"image,omitempty"`
	Catalogue    string          `json:"catalogue,omitempty"`  // instance actor only
	Implements   []capability    `json:"implements,omitempty"` // instance actor only; FEP-844e
	Generator    *generator      `json:"generator,omitempty"`  // all others: the instance actor
}

// generator is the instance actor as other actors show it: as much as tells what the node can do (FEP-844e).
type generator struct {
	ID         string       `json:"id"`
	Type       string       `json:"type"`
	Implements []capability `json:"implements"`
}

// capability is a specification that the node implements.
type capability struct {
	Type string `json:"type"`
	Href string `json:"href"`
	Name string `json:"name"`
}

// actorStub is what of an actor is shown without a signature in secure mode.
type actorStub struct {
	Context   json.RawMessage `json:"@context"`
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Username  string          `json:"preferredUsername"`
	Inbox     string          `json:"inbox"`
	PublicKey publicKey       `json:"publicKey"`
}

// quoteRequest is what an answer to it names (FEP-044f).
type quoteRequest struct {
	Type       string `json:"type"`
	ID         string `json:"id"`
	Actor      string `json:"actor"`
	Object     string `json:"object"`
	Instrument string `json:"instrument"`
}

// quoteStamp proves that the author of a post lets another quote it (FEP-044f).
type quoteStamp struct {
	Context           json.RawMessage `json:"@context"`
	ID                string          `json:"id"`
	Type              string          `json:"type"`
	AttributedTo      string          `json:"attributedTo"`
	InteractingObject string          `json:"interactingObject"`
	InteractionTarget string          `json:"interactionTarget"`
}

type endpoints struct {
	SharedInbox string `json:"sharedInbox"`
}

type publicKey struct {
	ID           string `json:"id"`
	Owner        string `json:"owner"`
	PublicKeyPEM string `json:"publicKeyPem"`
}

type propertyValue struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// collection is a Collection, an OrderedCollection, or a page of either.
type collection struct {
	Context      json.RawMessage `json:"@context,omitempty"`
	ID           string          `json:"id"`
	Type         string          `json:"type"`
	AttributedTo string          `json:"attributedTo,omitempty"`
	TotalItems   *int            `json:"totalItems,omitempty"`
	PartOf       string          `json:"partOf,omitempty"`
	First        any             `json:"first,omitempty"` // an id, or the page itself
	Next         string          `json:"next,omitempty"`
	Items        any             `json:"items,omitempty"`
	OrderedItems any             `json:"orderedItems,omitempty"`
}

// marshal is the one way in which JSON leaves: keys in the order of the structs, HTML as it is.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// timestamp is an instant as peers read it: UTC, whole seconds, rounded down.
func timestamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }
