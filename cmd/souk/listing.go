package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"souk"

	"github.com/spf13/cobra"
)

func newListingCommand(load loader, environ []string) *cobra.Command {
	cmd := &cobra.Command{Use: "listing", Short: "Products, in and out as CSV"}
	cmd.AddCommand(newListingExportCommand(load, environ), newListingImportCommand(load, environ))
	return cmd
}

// csvHelp is what both commands say about the file.
const csvHelp = "The columns are id, title, description (Markdown), price (24.00), currency (EUR), quantity, category\n" +
	"(Home/Kitchen/Cups), condition (new, used, refurbished), tags (with commas), state (published, draft), lang, and\n" +
	"for reading only url, images and seller."

func newListingExportCommand(load loader, environ []string) *cobra.Command {
	return &cobra.Command{
		Use:     "export",
		Short:   "Print all products as CSV",
		Long:    "Prints every product of this node that is not withdrawn, drafts too, as CSV in UTF-8.\n\n" + csvHelp,
		Example: "  souk listing export > products.csv",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			return withNode(ctx, c, commandLogger(cmd.ErrOrStderr(), environ, c), func(db *souk.DB) error {
				return exportListings(ctx, db, cmd.OutOrStdout())
			})
		},
	}
}

func newListingImportCommand(load loader, environ []string) *cobra.Command {
	var account string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Put up or change products from CSV",
		Long: "Puts up a product for every row without an id, and changes the product that the id names for every other.\n" +
			"Either all rows are taken or none: what is wrong is said by line and column. Followers are not told; pictures\n" +
			"are not read.\n\n" + csvHelp + "\n\nTitle, price and currency must be there; a column that is missing, and an empty cell of a row with an id,\n" +
			"change nothing. Files of other shop software cannot be read yet. - as FILE is standard input.",
		Example: "  souk listing import products.csv --dry-run",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			rows, err := openRows(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			return withNode(ctx, c, commandLogger(cmd.ErrOrStderr(), environ, c), func(db *souk.DB) error {
				n, err := importListings(ctx, db, account, rows, dryRun)
				if err != nil {
					return err
				}
				t := newTerminal(cmd.OutOrStdout(), environ)
				if dryRun {
					t.ok("dry run", fmt.Sprintf("%d to put up, %d to change; nothing was done", n.made, n.changed))
					return nil
				}
				t.ok("listings", fmt.Sprintf("%d put up, %d changed", n.made, n.changed))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "`NAME` of the seller; the owner where nothing is said")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be done")
	return cmd
}

// maxImport bounds what is read into memory: some 50,000 products.
const maxImport = 64 << 20

func openRows(name string, in io.Reader) ([]csvRow, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, maxImport+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxImport {
		return nil, fmt.Errorf("the file is larger than %d MB: split it", maxImport>>20)
	}
	return readRows(body)
}

func exportListings(ctx context.Context, db *souk.DB, out io.Writer) error {
	w, err := newRowWriter(out)
	if err != nil {
		return err
	}
	owner, err := seller(ctx, db, "")
	if err != nil {
		return err
	}
	people, err := db.People(ctx, owner.ID)
	if err != nil {
		return err
	}
	for _, p := range people {
		page := souk.Page{Limit: 80}
		for {
			list, err := db.SellerListings(ctx, p.ID, "", page)
			if err != nil {
				return err
			}
			for i := range list {
				if list[i].State == souk.ListingWithdrawn {
					continue
				}
				if err := w.write(db, &list[i], p.Name); err != nil {
					return err
				}
			}
			if len(list) < page.Limit {
				break
			}
			page.Before = list[len(list)-1].ID
		}
	}
	return w.flush()
}

// imported is how many listings an import made and changed.
type imported struct{ made, changed int }

// errDryRun takes back what a dry run did.
var errDryRun = errors.New("dry run")

// importListings takes all rows or none.
func importListings(ctx context.Context, db *souk.DB, account string, rows []csvRow, dryRun bool) (n imported, err error) {
	by, err := seller(ctx, db, account)
	if err != nil {
		return n, err
	}
	problems := &souk.Invalid{}
	err = db.Tx(ctx, func(tx *souk.DB) error {
		for _, row := range rows {
			err := row.apply(ctx, tx, by, &n)
			var invalid *souk.Invalid
			switch {
			case errors.As(err, &invalid):
				for _, p := range invalid.Problems {
					problems.Add(fmt.Sprintf("line %d %s", row.line, p.Field), p.Code, "%s", p.Message)
				}
			case err != nil:
				return fmt.Errorf("line %d: %w", row.line, err)
			}
			if len(problems.Problems) >= 50 {
				break
			}
		}
		if err := problems.Err(); err != nil {
			return err
		}
		if dryRun {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		return n, nil
	}
	return n, err
}

// seller is the account that an import acts as.
func seller(ctx context.Context, db *souk.DB, name string) (*souk.Account, error) {
	if name == "" {
		a, err := db.Owner(ctx)
		if errors.Is(err, souk.ErrNotFound) {
			return nil, advise(errors.New("this node has no owner yet"), "souk account create NAME --role owner")
		}
		return a, err
	}
	a, err := db.LocalAccount(ctx, name)
	if errors.Is(err, souk.ErrNotFound) {
		return nil, advise(fmt.Errorf("there is no account %q on this node", name), "souk account create "+shellWord(name)+" --role seller")
	}
	if err == nil && !a.Sells() {
		return nil, fmt.Errorf("%s is a member and sells nothing", a.Name)
	}
	return a, err
}
