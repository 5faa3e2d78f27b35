package console

import (
	"errors"
	"net/http"

	"github.com/jackc/pgx/v5/pgconn"

	"souk"
)

type nodesPage struct {
	frame
	Nodes []nodeRow
	Node  string // whom to follow, as typed
}

// nodeRow is a node whose catalogue this one follows.
type nodeRow struct {
	souk.Account
	Pending bool
	Info    *souk.Host
}

// Nodes lists the nodes whose catalogue this one follows.
func (c *Console) Nodes(v *Visit) error {
	return c.nodesPage(v, http.StatusOK, nodesPage{frame: v.frame("nodes", "nodes.title")})
}

func (c *Console) nodesPage(v *Visit, status int, page nodesPage) error {
	catalogue, err := c.DB.Catalogue(v.ctx())
	if err != nil {
		return err
	}
	for _, state := range []string{souk.FollowPending, souk.FollowAccepted} {
		follows, err := c.DB.Following(v.ctx(), catalogue.ID, state, souk.Page{Limit: 80})
		if err != nil {
			return err
		}
		for _, f := range follows {
			row := nodeRow{Account: f.Account, Pending: state == souk.FollowPending}
			if row.Info, err = c.DB.HostFor(v.ctx(), v.me.ID, f.Account.Host); err != nil {
				return err
			}
			page.Nodes = append(page.Nodes, row)
		}
	}
	return c.render(v, status, "nodes", page)
}

// FollowNode follows the catalogue of another node: what is for sale there is found here.
func (c *Console) FollowNode(v *Visit) error {
	page := nodesPage{frame: v.frame("nodes", "nodes.title"), Node: v.value("node")}
	_, err := c.Federation.FollowNode(v.ctx(), v.me.ID, page.Node)
	switch {
	case err == nil:
		return v.see("/console/nodes", "node_follow")
	case v.wrong(&page.frame, err, nil):
	case v.unanswered(err):
		page.Problems = []problem{{"node", v.t("nodes.unanswered")}}
	default:
		return err
	}
	return c.nodesPage(v, http.StatusUnprocessableEntity, page)
}

// UnfollowNode ends the following of a node's catalogue.
func (c *Console) UnfollowNode(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	catalogue, err := c.DB.Catalogue(v.ctx())
	if err != nil {
		return err
	}
	if err := c.DB.Unfollow(v.ctx(), catalogue.ID, id); err != nil {
		return err
	}
	return v.see("/console/nodes", "node_unfollow")
}

// unanswered reports whether err says that another node gave no answer that can be used: all but what this node's own
// database or the reader's browser ended. The log keeps the reason.
func (v *Visit) unanswered(err error) bool {
	var database *pgconn.PgError
	if v.ctx().Err() != nil || errors.As(err, &database) || errors.Is(err, souk.ErrForbidden) {
		return false
	}
	v.console.Log.Info("another node gave no usable answer", "error", err)
	return true
}
