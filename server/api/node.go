package api

import (
	"errors"
	"net"
	"net/http"

	"souk"
	"souk/federation"
	"souk/server/problem"
)

// NodeFollow names the node whose catalogue is to be followed.
type NodeFollow struct {
	Node string `json:"node" need:"yes" maxlen:"300" doc:"A host name, or any address on it."`
}

// Node is another node whose catalogue this one follows.
type Node struct {
	Node      string `json:"node" doc:"Its host name."`
	Catalogue string `json:"catalogue" doc:"The ActivityPub id of its catalogue."`
	State     string `json:"state" enum:"pending,accepted" doc:"pending until it has accepted."`
}

func (a *API) followNode(r *request, in NodeFollow) (Node, error) {
	ctx := r.Request().Context()
	theirs, err := a.Federation.FollowNode(ctx, r.account.ID, in.Node)
	if err != nil {
		return Node{}, unreachable(err)
	}
	ours, err := a.DB.Catalogue(ctx)
	if err != nil {
		return Node{}, err
	}
	state, err := a.DB.FollowState(ctx, ours.ID, theirs.ID)
	if err != nil {
		return Node{}, err
	}
	return Node{Node: theirs.Host, Catalogue: theirs.URI, State: state}, nil
}

// unreachable makes 502 of what another node failed at, with the reason: whose host name it is should know it.
func unreachable(err error) error {
	var status *federation.StatusError
	var network net.Error
	known := errors.As(err, &status) || errors.As(err, &network)
	for _, e := range []error{federation.ErrBlockedAddress, federation.ErrBadURL, federation.ErrTooLarge, federation.ErrContentType, federation.ErrRedirect,
		federation.ErrForeignID, federation.ErrJSON, federation.ErrDocument, federation.ErrForeign, federation.ErrTooMany, federation.ErrResting} {
		known = known || errors.Is(err, e)
	}
	if !known || problem.Status(err) != http.StatusInternalServerError {
		return err
	}
	return &problem.Error{Status: http.StatusBadGateway, Type: "/problems/node-unreachable", Title: "The other node does not answer as a node does",
		Detail: err.Error(), Cause: err}
}

// FollowedQuery narrows the list of nodes.
type FollowedQuery struct {
	Paging
	State string `query:"state" enum:"pending,accepted" doc:"accepted where nothing is said."`
}

func (a *API) followedNodes(r *request, in FollowedQuery) ([]Node, error) {
	ctx := r.Request().Context()
	ours, err := a.DB.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	state := souk.FollowAccepted
	if in.State != "" {
		state = in.State
	}
	list, err := a.DB.Following(ctx, ours.ID, state, in.page())
	if err != nil {
		return nil, err
	}
	out := make([]Node, len(list))
	for i, f := range list {
		out[i] = Node{Node: f.Account.Host, Catalogue: f.Account.URI, State: f.State}
	}
	if len(list) > 0 {
		r.link(in.Paging, len(list), list[len(list)-1].ID)
	}
	return out, nil
}
