package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"souk"

	"github.com/spf13/cobra"
)

func newTokenCommand(load loader, environ []string) *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Bearer tokens for programs that use the node's interfaces"}
	cmd.AddCommand(newTokenCreateCommand(load, environ))
	return cmd
}

func newTokenCreateCommand(load loader, environ []string) *cobra.Command {
	var account, scopes, name string
	cmd := &cobra.Command{
		Use:   "create --account NAME --scopes SCOPES",
		Short: "Print one new bearer token, and nothing else",
		Long: "Prints one new bearer token of an account. It is kept nowhere: note it, or make another. It is good until it\n" +
			"is revoked. Scopes are read, write, follow, push, profile, parts such as write:listings, and for the owner\n" +
			"admin:read and admin:write.",
		Example: `souk token create --account maria --scopes "read write follow push"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			if account == "" {
				return advise(errors.New("--account is missing: whom shall the token act as?"), cmd.Example)
			}
			ctx := cmd.Context()
			return withNode(ctx, c, commandLogger(cmd.ErrOrStderr(), environ, c), func(db *souk.DB) error {
				a, err := db.LocalAccount(ctx, account)
				if errors.Is(err, souk.ErrNotFound) {
					return advise(fmt.Errorf("there is no account %q on this node", account), "souk account create "+shellWord(account))
				}
				if err != nil {
					return err
				}
				words := strings.FieldsFunc(scopes, func(r rune) bool { return r == ' ' || r == ',' })
				secret, err := db.CreateToken(ctx, a.ID, name, words, time.Time{})
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), secret)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "`NAME` of the account that the token acts as")
	cmd.Flags().StringVar(&scopes, "scopes", "", "what it may do, `SCOPES` with spaces between them")
	cmd.Flags().StringVar(&name, "name", "souk token create", "`NAME` under which the account's owner finds it again")
	return cmd
}
