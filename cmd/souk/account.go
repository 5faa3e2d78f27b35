package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"souk"

	"github.com/spf13/cobra"
)

func newAccountCommand(load loader, environ []string) *cobra.Command {
	cmd := &cobra.Command{Use: "account", Short: "Accounts of this node"}
	cmd.AddCommand(newAccountCreateCommand(load, environ), newAccountPasswordCommand(load, environ),
		newAccountDeleteCommand(load, environ), newAccountKeyCommand(load, environ))
	return cmd
}

func newAccountCreateCommand(load loader, environ []string) *cobra.Command {
	var n souk.NewAccount
	var passwordStdin bool
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make an account that can sign in",
		Long: "Makes an account that signs in by its name or its e-mail address. Without --password-stdin a password is made\n" +
			"up and printed once.",
		Example: "  souk account create maria --role owner --email maria@shop.example\n" +
			"  souk account create maria --role owner --password-stdin < password.txt",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			n.Name = args[0]
			if n.Password, err = choosePassword(cmd.InOrStdin(), passwordStdin); err != nil {
				return err
			}
			ctx := cmd.Context()
			return withNode(ctx, c, commandLogger(cmd.ErrOrStderr(), environ, c), func(db *souk.DB) error {
				a, err := db.CreateAccount(ctx, n)
				if err != nil {
					return err
				}
				t := newTerminal(cmd.OutOrStdout(), environ)
				t.ok("account", fmt.Sprintf("%s, %s", db.Handle(a), a.Role))
				if !passwordStdin {
					t.ok("password", n.Password+"  (shown this once)")
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&n.Role, "role", souk.RoleMember, "owner, seller or member")
	cmd.Flags().StringVar(&n.Email, "email", "", "e-mail `ADDRESS`, to sign in with and for mail from the node")
	cmd.Flags().BoolVar(&passwordStdin, "password-stdin", false, "read the password from the first line of standard input")
	return cmd
}

func newAccountPasswordCommand(load loader, environ []string) *cobra.Command {
	var passwordStdin bool
	cmd := &cobra.Command{
		Use:   "password NAME",
		Short: "Give an account another password",
		Long: "Gives an account another password, for somebody who forgot theirs, and signs it out everywhere. Without\n" +
			"--password-stdin a password is made up and printed once.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			password, err := choosePassword(cmd.InOrStdin(), passwordStdin)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			return withNode(ctx, c, commandLogger(cmd.ErrOrStderr(), environ, c), func(db *souk.DB) error {
				a, err := db.LocalAccount(ctx, args[0])
				if err != nil {
					return err
				}
				if err := db.ResetPassword(ctx, a.ID, password); err != nil {
					return err
				}
				t := newTerminal(cmd.OutOrStdout(), environ)
				t.ok("account", db.Handle(a)+", signed out everywhere")
				if !passwordStdin {
					t.ok("password", password+"  (shown this once)")
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&passwordStdin, "password-stdin", false, "read the password from the first line of standard input")
	return cmd
}

// choosePassword reads the password from in, or makes one up.
func choosePassword(in io.Reader, fromStdin bool) (string, error) {
	if fromStdin {
		return readPassword(in)
	}
	return rand.Text(), nil
}

// readPassword reads one line, however it ends.
func readPassword(in io.Reader) (string, error) {
	const most = 4096
	line, err := bufio.NewReader(io.LimitReader(in, most)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", advise(errors.New("there is no password on standard input"), "write it on one line: souk account create NAME --password-stdin < FILE")
	}
	return line, nil
}
