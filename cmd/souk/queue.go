package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"souk"

	"github.com/spf13/cobra"
)

func newQueueCommand(load loader, environ []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "What waits to be delivered to other servers, and why",
		Long: "What waits to be delivered to other servers, by host, and why. A host that fails rests as a whole and is tried\n" +
			"again by itself, a dead one once a day; nothing has to be done here for that.",
	}
	q := queueCommand{load: load, environ: environ}
	cmd.AddCommand(q.list(), q.retry(), q.drop(), q.hold())
	return cmd
}

// queueCommand is what the commands of the queue share.
type queueCommand struct {
	load    loader
	environ []string
	filter  souk.QueueFilter
}

// run works as the node's owner, who the terminal is.
func (q *queueCommand) run(cmd *cobra.Command, work func(ctx context.Context, db *souk.DB, owner int64) error) error {
	c, err := q.load(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	return withNode(ctx, c, commandLogger(cmd.ErrOrStderr(), q.environ, c), func(db *souk.DB) error {
		a, err := db.Owner(ctx)
		if errors.Is(err, souk.ErrNotFound) {
			return advise(errors.New("this node has no owner yet"), "souk account create NAME --role owner")
		}
		if err != nil {
			return err
		}
		return work(ctx, db, a.ID)
	})
}

// narrow adds the flags that say what is meant.
func (q *queueCommand) narrow(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&q.filter.Host, "host", "", "`HOST` that it goes to, such as social.example")
	cmd.Flags().Int64Var(&q.filter.PostID, "post", 0, "`ID` of the post or product that it is about, as in its address")
	return cmd
}

func (q *queueCommand) narrowToOne(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().Int64Var(&q.filter.DeliveryID, "id", 0, "`ID` of one delivery, as queue list --host prints it")
	return q.narrow(cmd)
}

func (q queueCommand) list() *cobra.Command {
	var asJSON bool
	cmd := q.narrow(&cobra.Command{
		Use:   "list",
		Short: "Print what waits, by host",
		Long: "Prints what waits, by host: how many deliveries, since when, how often they were tried, when they are tried next,\n" +
			"and why they did not arrive. With --host or --post each delivery is printed too.",
		Example: "  souk queue list --state resting\n  souk queue list --host social.example",
		Args:    cobra.NoArgs,
	})
	cmd.Flags().StringVar(&q.filter.State, "state", "", "`STATE` of the host: waiting, resting, dead, held or blocked")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return q.run(cmd, func(ctx context.Context, db *souk.DB, owner int64) error {
			hosts, err := db.Queue(ctx, owner, q.filter)
			if err != nil {
				return err
			}
			var each []souk.DeliveryState
			if q.filter.Host != "" || q.filter.PostID != 0 {
				if each, err = db.DeliveryStates(ctx, owner, q.filter, souk.Page{Limit: 80}); err != nil {
					return err
				}
			}
			if asJSON {
				return printQueueJSON(cmd.OutOrStdout(), hosts, each)
			}
			printQueue(newTerminal(cmd.OutOrStdout(), q.environ), db.Now(), hosts, each)
			return nil
		})
	}
	return cmd
}

func (q queueCommand) retry() *cobra.Command {
	cmd := q.narrowToOne(&cobra.Command{
		Use:   "retry",
		Short: "Try again now",
		Long: "Makes what waits for a host, of a post, or one delivery due now, whatever the host asked for. Of a post, of one\n" +
			"delivery, and with --failed of a host, what failed or was dropped is queued again too.",
		Example: "  souk queue retry --host social.example",
		Args:    cobra.NoArgs,
	})
	cmd.Flags().BoolVar(&q.filter.Failed, "failed", false, "queue again what failed or was dropped")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return q.run(cmd, func(ctx context.Context, db *souk.DB, owner int64) error {
			n, err := db.RetryDeliveries(ctx, owner, q.filter)
			if err != nil {
				return err
			}
			newTerminal(cmd.OutOrStdout(), q.environ).ok("retry", fmt.Sprintf("%s %s", deliveries(n), "due now; a node that runs sends in a few seconds"))
			return nil
		})
	}
	return cmd
}

func (q queueCommand) drop() *cobra.Command {
	cmd := q.narrowToOne(&cobra.Command{
		Use:     "drop",
		Short:   "Deliver no more what waits",
		Long:    "Drops what waits for a host, of a post, or one delivery. It never arrives then; queue retry takes it up again.",
		Example: "  souk queue drop --host gone.example",
		Args:    cobra.NoArgs,
	})
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return q.run(cmd, func(ctx context.Context, db *souk.DB, owner int64) error {
			hosts, err := db.Queue(ctx, owner, q.filter)
			if err != nil {
				return err
			}
			n, err := db.DropDeliveries(ctx, owner, q.filter)
			if err != nil {
				return err
			}
			t := newTerminal(cmd.OutOrStdout(), q.environ)
			t.ok("drop", deliveries(n)+" dropped")
			for _, h := range hosts {
				if h.Waiting > 0 {
					t.ok("", fmt.Sprintf("%s: %d", h.Host, h.Waiting))
				}
			}
			return nil
		})
	}
	return cmd
}

func (q queueCommand) hold() *cobra.Command {
	var off bool
	cmd := &cobra.Command{
		Use:     "hold HOST",
		Short:   "Let everything for a host wait",
		Long:    "Lets everything for a host wait until it is let go with --off. Nothing is lost meanwhile but what gets too old:\nafter 14 days a delivery is given up.",
		Example: "  souk queue hold social.example\n  souk queue hold social.example --off",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&off, "off", false, "let it go")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return q.run(cmd, func(ctx context.Context, db *souk.DB, owner int64) error {
			err := db.HoldHost(ctx, owner, args[0], !off)
			if errors.Is(err, souk.ErrNotFound) {
				return advise(fmt.Errorf("nothing was ever sent to %q", args[0]), "souk queue list")
			}
			if err != nil {
				return err
			}
			t := newTerminal(cmd.OutOrStdout(), q.environ)
			if off {
				t.ok("hold", args[0]+" is let go: what waits is sent")
			} else {
				t.ok("hold", args[0]+" is held: what is for it waits")
			}
			return nil
		})
	}
	return cmd
}

func deliveries(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return fmt.Sprintf("%d deliveries", n)
}

func times(n int) string {
	switch n {
	case 0:
		return "not yet"
	case 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// reasons are the words for souk.DeliveryState.Why.
func reasons() map[string]string {
	return map[string]string{
		"arrived": "arrived", "sending": "its turn comes in a moment", "behind": "the host did not take something before it", "held": "held by you",
		"blocked": "the host is blocked here", "asked": "the host asks to be left alone for a while", "silent": "the host does not answer",
		"trouble": "the host has trouble of its own", "signature": "the host refuses our signature", "refused": "the host refuses it",
		"gone": "the inbox is gone", "no_create": "what it changes never arrived there", "too_old": "given up after too long",
		"by_owner": "dropped by you", "sender_gone": "its account is deleted", "unusable": "it cannot be sent",
	}
}

func printQueue(t *terminal, now time.Time, hosts []souk.QueuedHost, each []souk.DeliveryState) {
	if len(hosts) == 0 && len(each) == 0 {
		t.ok("queue", "nothing waits")
		return
	}
	words := reasons()
	for _, h := range hosts {
		text := fmt.Sprintf("%s, %s: %s", h.Host, deliveries(h.Waiting), words[h.Why()])
		if h.Oldest != nil {
			text += fmt.Sprintf("\nsince %s, tried %s", h.Oldest.Format(time.DateTime), times(h.Attempts))
		}
		if h.NextAt != nil && h.NextAt.After(now) && h.State != souk.QueueHeld {
			text += ", next at " + h.NextAt.Format(time.DateTime) + " UTC"
		}
		if h.LastError != "" {
			text += "\n" + printable(h.LastError)
		}
		next := ""
		switch h.State {
		case souk.QueueWaiting:
			t.ok(h.State, text)
			continue
		case souk.QueueHeld:
			next = "souk queue hold " + shellWord(h.Host) + " --off"
		case souk.QueueResting, souk.QueueDead:
			next = "souk queue retry --host " + shellWord(h.Host)
		}
		t.warn(h.State, text, next)
	}
	for _, d := range each {
		text := fmt.Sprintf("%s of %s to %s: %s", d.Type, d.ObjectURI, d.Host, words[d.Why()])
		if d.Attempts > 0 && d.State != "delivered" {
			text += fmt.Sprintf(" (tried %s, status %d)", times(d.Attempts), d.Status)
		}
		t.ok(fmt.Sprint(d.ID), text)
	}
}

// printable is one line of what a stranger wrote, without what a terminal would act upon.
func printable(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }), " ")
}

// The JSON of queue list: names that stay.
type (
	queueHostJSON struct {
		Host      string     `json:"host"`
		State     string     `json:"state"`
		Why       string     `json:"why"`
		Waiting   int        `json:"waiting"`
		Oldest    *time.Time `json:"oldest"`
		Attempts  int        `json:"attempts"`
		NextAt    *time.Time `json:"next_at"`
		Status    int        `json:"status"`
		LastError string     `json:"last_error"`
	}
	queueDeliveryJSON struct {
		ID       int64     `json:"id,string"`
		Host     string    `json:"host"`
		Inbox    string    `json:"inbox"`
		Type     string    `json:"type"`
		Object   string    `json:"object"`
		State    string    `json:"state"`
		Why      string    `json:"why"`
		Attempts int       `json:"attempts"`
		NextAt   time.Time `json:"next_at"`
		Status   int       `json:"status"`
		Error    string    `json:"error"`
	}
)

func printQueueJSON(w io.Writer, hosts []souk.QueuedHost, each []souk.DeliveryState) error {
	list := struct {
		Hosts      []queueHostJSON     `json:"hosts"`
		Deliveries []queueDeliveryJSON `json:"deliveries,omitempty"`
	}{Hosts: []queueHostJSON{}}
	for _, h := range hosts {
		list.Hosts = append(list.Hosts, queueHostJSON{h.Host, h.State, h.Why(), h.Waiting, h.Oldest, h.Attempts, h.NextAt, h.Status, h.LastError})
	}
	for _, d := range each {
		list.Deliveries = append(list.Deliveries, queueDeliveryJSON{d.ID, d.Host, d.Inbox, d.Type, d.ObjectURI, d.State, d.Why(), d.Attempts, d.NextTry(), d.Status, d.Error})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(list)
}
