// Command souk is a Souk node and everything that its admin does with it from a terminal. It holds commands,
// configuration and the wiring of the layers below, and no rule of the domain.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs one souk command and returns its exit code: 0 done, 1 failed (a reason stands on stderr), or the code
// that the command asked for with exitCode.
func run(ctx context.Context, args, environ []string, in io.Reader, out, errOut io.Writer) int {
	root := newRoot(environ)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	newTerminal(errOut, environ).failure(err)
	return 1
}

// newRoot returns the whole command line. environ is the environment as os.Environ gives it; nothing below reads
// the process's own, so that tests run any number of configurations side by side.
func newRoot(environ []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "souk",
		Short: "A federated community server for sellers",
		Long: "Souk gives a seller a storefront, a blog, a community and a console on their own domain,\n" +
			"federated with other Souk nodes and with the fediverse.\n\n" +
			"Every setting is a flag of every command, an environment variable and a line of souk.toml:\n" +
			"souk config describe prints them all.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	addSettingFlags(root.PersistentFlags())
	load := func(cmd *cobra.Command) (*Config, error) {
		return loadConfig(cmd.Root().PersistentFlags(), environ)
	}
	root.AddCommand(
		// One line a command; each lives in the file of its name.
		newConfigCommand(load, environ),
		newDemoCommand(environ),
		newAccountCommand(load, environ),
		newBenchCommand(environ),
		newListingCommand(load, environ),
		newMigrateCommand(load, environ),
		newQueueCommand(load, environ),
		newReindexCommand(load, environ),
		newServeCommand(load, environ),
		newTokenCommand(load, environ),
		newVersionCommand(),
	)
	return root
}

// loader reads the configuration of the command that runs: flags, environment, file, defaults. Commands take it
// instead of a Config, since flags are known only once they run. Its error names every wrong setting at once.
type loader func(cmd *cobra.Command) (*Config, error)

// exitCode is returned by a command that has already said what there is to say and only sets the exit code.
type exitCode int

func (exitCode) Error() string { return "the command failed" }

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), "souk "+version()+"\n")
			return err
		},
	}
}

// version names the build: the module version when it was installed by one, else the commit it was built from with
// "+dirty" when the tree had changes, else "devel".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if commit == "" {
		return "devel"
	}
	return commit + dirty
}
