package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"souk"
	"souk/federation"

	"github.com/spf13/cobra"
)

func newAccountDeleteCommand(load loader, environ []string) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete an account for good",
		Long: "Deletes an account for good: its posts, products, likes and follows go, every node that is known is told, and\n" +
			"nobody can have its name again. Its orders stay. It asks for the name once more, unless --yes is given. The\n" +
			"owner's account goes last.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			return withNode(ctx, c, commandLogger(cmd.ErrOrStderr(), environ, c), func(db *souk.DB) error {
				a, err := db.LocalAccount(ctx, args[0])
				if err != nil {
					return err
				}
				if !yes {
					fmt.Fprintf(cmd.ErrOrStderr(), "This deletes %s for good. Type the name to go on: ", db.Handle(a))
					if err := confirmName(cmd.InOrStdin(), a.Name); err != nil {
						return err
					}
				}
				if err := db.DeleteAccount(ctx, 0, a.ID); err != nil {
					return err
				}
				newTerminal(cmd.OutOrStdout(), environ).ok("account", db.Handle(a)+", deleted; other nodes are told by souk serve")
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// confirmName reads one line, which must be the name.
func confirmName(in io.Reader, name string) error {
	line, err := bufio.NewReader(io.LimitReader(in, 1000)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	if strings.TrimSpace(line) != name {
		return advise(errors.New("nothing was deleted"), "type "+name+" when asked, or give --yes")
	}
	return nil
}

func newAccountKeyCommand(load loader, environ []string) *cobra.Command {
	return &cobra.Command{
		Use:   "rotate-key NAME",
		Short: "Give an account another signing key",
		Long: "Gives an account another key to sign with, for when the old one may be known to somebody else. Followers' servers\n" +
			"are told, signed with the old key; what was queued before is signed with that too. The name is that of a person,\n" +
			"or \"catalogue\".",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			return withNode(ctx, c, commandLogger(cmd.ErrOrStderr(), environ, c), func(db *souk.DB) error {
				a, err := db.LocalAccount(ctx, args[0])
				if err != nil {
					return err
				}
				if a, err = federation.RotateKey(ctx, db, a.ID); err != nil {
					return err
				}
				t := newTerminal(cmd.OutOrStdout(), environ)
				t.ok("account", db.Handle(a))
				t.ok("key", a.KeyID)
				return nil
			})
		},
	}
}
