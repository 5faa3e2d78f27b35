// Command run gives tests their PostgreSQL.
//
//	run COMMAND ARGUMENT...   starts a throwaway cluster, runs the command (go test ./...) with
//	                          SOUK_TEST_DATABASE_URL set to it, deletes the cluster, ends with the command's status
//	run -hold DIR             holds the cluster that test processes share which found no SOUK_TEST_DATABASE_URL;
//	                          package pgtest starts it
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"souk/migrations/pgtest"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: run COMMAND ARGUMENT...")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if args[0] == "-hold" && len(args) == 2 {
		return pgtest.Hold(ctx, args[1], pgtest.Idle, func() { fmt.Println("ready") })
	}
	if os.Getenv("SOUK_TEST_DATABASE_URL") != "" {
		return command(ctx, args)
	}
	dir, err := os.MkdirTemp("", "souk-test-")
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // for the user that PostgreSQL runs as
		return err
	}
	address, stop, err := pgtest.Throwaway(ctx, filepath.Join(dir, "node"))
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	if err := os.Setenv("SOUK_TEST_DATABASE_URL", address); err != nil {
		return errors.Join(err, stop(), os.RemoveAll(dir))
	}
	failed := command(ctx, args)
	if err := errors.Join(stop(), os.RemoveAll(dir)); err != nil {
		return errors.Join(failed, err)
	}
	return failed
}

// command runs args to their end. Ctrl-C reaches the command from the terminal; a SIGTERM is passed on.
func command(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return cmd.Run()
}
