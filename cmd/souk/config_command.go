package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newConfigCommand(load loader, environ []string) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Describe, test and show the configuration"}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "describe",
			Short: "Print a complete souk.toml with comments, to start from",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				text, err := describeConfig()
				if err != nil {
					return err
				}
				_, err = io.WriteString(cmd.OutOrStdout(), text)
				return err
			},
		},
		&cobra.Command{
			Use:   "test",
			Short: "Check the configuration and report everything wrong with it; exit 0 or 1",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				c, err := load(cmd)
				if err != nil {
					return err
				}
				t := newTerminal(cmd.OutOrStdout(), environ)
				c.printWarnings(t)
				t.ok("config", "the node would answer at "+c.BaseURL())
				return nil
			},
		},
		&cobra.Command{
			Use:   "show",
			Short: "Print what is in force and where each value came from; secrets are hidden",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				c, err := load(cmd)
				if err != nil {
					return err
				}
				return c.show(cmd.OutOrStdout())
			},
		},
	)
	return cmd
}

// printWarnings prints what in the configuration works but is probably not meant.
func (c *Config) printWarnings(t *terminal) {
	for _, w := range c.Warnings {
		t.warn(w.Name, w.where()+w.Problem, w.Fix)
	}
}

// show prints one line a setting: name, value in force, where it came from.
func (c *Config) show(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range settings() {
		value := s.hidden(c.texts[s.name])
		if value == "" {
			value = "-"
		}
		fmt.Fprintf(tab, "%s\t%s\t%s\n", s.name, value, c.sources[s.name])
	}
	return tab.Flush()
}

// describeConfig is a souk.toml in which every setting is explained and commented out at its default.
func describeConfig() (string, error) {
	var b strings.Builder
	b.WriteString("# Configuration of a Souk node. Each setting may stand in three places, the first wins:\n" +
		"#   a flag (--data-dir), a variable (SOUK_DATA_DIR), this file (data_dir); else the default shown here.\n" +
		"# The file is ./souk.toml, or that of --config or SOUK_CONFIG. Remove the first # of a line to set it.\n" +
		"# Check it with: souk config test\n")
	c := &Config{}
	for _, s := range settings() {
		value := s.example
		if s.fallback != nil {
			value = s.fallback(c, func(string) string { return "" })
			if _, err := s.set(c, value); err != nil {
				return "", fmt.Errorf("the default of %s: %w", s.name, err)
			}
		}
		b.WriteString("\n# " + strings.ReplaceAll(s.doc, "\n", "\n# ") + "\n")
		fmt.Fprintf(&b, "# %s, --%s", s.env(), s.flag())
		if s.fallback == nil {
			b.WriteString("; not set by default")
		}
		fmt.Fprintf(&b, "\n#%s = %s\n", s.name, s.tomlText(value))
		if s.secret != notSecret {
			fmt.Fprintf(&b, "# or the file that holds it, as %s_FILE, --%s-file:\n#%s_file = \"/etc/souk/%s\"\n",
				s.env(), s.flag(), s.name, s.name)
		}
	}
	return b.String(), nil
}

// tomlText spells a value for the file.
func (s setting) tomlText(value string) string {
	switch s.kind {
	case numberSetting:
		return value
	case listSetting:
		list := splitList(value)
		for i, item := range list {
			list[i] = fmt.Sprintf("%q", item)
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	return fmt.Sprintf("%q", value)
}
