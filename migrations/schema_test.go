package migrations_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"souk/migrations"
	"souk/migrations/cluster"
	"souk/migrations/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var update = flag.Bool("update", false, "write schema.sql")

// TestSchema keeps schema.sql what the migrations amount to.
func TestSchema(t *testing.T) {
	t.Parallel()
	pgDump, err := cluster.FindTool(t.Context(), "", "pg_dump")
	if err != nil {
		t.Fatal(err)
	}
	dump, err := migrations.Dump(t.Context(), pgtest.URL(t), pgDump)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.sql", []byte(dump), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if string(file) != dump {
		t.Errorf("schema.sql is not what the migrations make: run \"make schema\". First difference:\n%s", difference(string(file), dump))
	}
	if !strings.Contains(dump, "CREATE TABLE public.listings (") {
		t.Error("the dump lacks a table of ours")
	}
	for _, word := range []string{"river_", "goose_", "restrict souk", "Dumped"} {
		if strings.Contains(dump, word) {
			t.Errorf("the dump contains %q, which is not ours", word)
		}
	}
}

// difference is the first pair of lines that differ.
func difference(have, want string) string {
	a, b := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		a, b := slices.Concat(a, make([]string, i+1))[i], slices.Concat(b, make([]string, i+1))[i]
		if a != b {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, a, b)
		}
	}
	return "none"
}

// abuses are names of columns and tables that Souk must not have (product.md, 5 and 6): each is a piece of a name between
// underscores.
var abuses = []struct {
	what  string
	names *regexp.Regexp
}{
	{"a reward for recruiting", piece(`upline|downline|recruit|recruiter|recruited|sponsor|sponsored|mlm|tier_commission|level_commission`)},
	{"levels of affiliates", piece(`parent_(affiliate|promoter|agent|referrer|account)|affiliate_(parent|level|tier)|agent_level`)},
	{"a permanent tie of a person to a promoter", piece(`(buyer|customer|account|contact|follower)s?_(promoter|affiliate|referrer|agent)|referred_by|invited_by|lifetime_(promoter|affiliate|referrer)`)},
	{"a place that is paid for", piece(`bid|bids|boost_(price|paid|until)|rank_boost|ranking_boost|paid_(rank|place|placement|boost)|promoted|promoted_until|ad_spend|placement_price|pinned_price|priority_paid`)},
	{"a counter that a seller could set", piece(`fake_\w+|initial_(sales|views|likes|reviews)|base_(sales|views|likes)|display_(sales|sold|views)|virtual_(sales|sold|views)`)},
	{"imported contacts", piece(`contacts_import|address_book|phonebook|phone_book`)},
	{"mass messages", piece(`mass_message|mass_messages|broadcast_message|broadcast_messages|bulk_message|bulk_messages`)},
	{"a stored address of a visitor", piece(`ip|ip_address|remote_addr|client_ip|visitor_ip|last_ip|sign_in_ip`)},
}

// counters are what sales and attention are counted as, as whole names of columns. What a form or an import can write to
// must not have them: they are counted from the rows that they count. Stock is no such counter, it is what the seller has.
var counters = regexp.MustCompile(`^(\w+_count|count_\w+|sold|sales|views|view|hits|purchases|likes|favourites|favorites|followers|` +
	`reviews|rating|ratings|stars|score|popularity|rank)$`)

// written are the tables that hold what a seller writes.
var written = regexp.MustCompile(`^(accounts?|listings?|variants?|posts?|shop|orders?|media|collections?)(_|$)`)

func piece(names string) *regexp.Regexp {
	return regexp.MustCompile(`(^|_)(` + names + `)(_|$)`)
}

// complaints lists what is wrong with the columns of a database.
func complaints(ctx context.Context, pool *pgxpool.Pool) ([]string, error) {
	rows, err := pool.Query(ctx, `
		select table_name::text, column_name::text from information_schema.columns
		where table_schema = 'public' and table_name !~ '^(river|goose)_'
		order by table_name, ordinal_position`)
	if err != nil {
		return nil, err
	}
	type column struct{ Table, Column string }
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	if err != nil {
		return nil, err
	}
	var found []string
	for _, c := range columns {
		name := c.Table + "." + c.Column
		for _, abuse := range abuses {
			if abuse.names.MatchString(c.Column) || abuse.names.MatchString(c.Table) {
				found = append(found, name+": "+abuse.what)
			}
		}
		if written.MatchString(c.Table) && counters.MatchString(c.Column) {
			found = append(found, name+": a counter that a seller could set")
		}
	}
	if len(columns) < 50 {
		found = append(found, fmt.Sprintf("only %d columns were looked at", len(columns)))
	}
	return found, nil
}

// TestAbusesHaveNoSchema: product.md, 6.
func TestAbusesHaveNoSchema(t *testing.T) {
	t.Parallel()
	found, err := complaints(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, complaint := range found {
		t.Error(complaint)
	}
}

// TestAbusesAreFound makes each abuse and expects it to be seen.
func TestAbusesAreFound(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		`alter table accounts add upline_id bigint`,
		`alter table accounts add parent_affiliate bigint`,
		`alter table accounts add recruiter_id bigint`,
		`alter table orders add referred_by bigint`,
		`alter table orders add buyer_promoter_id bigint`,
		`alter table listings add bid bigint`,
		`alter table listings add rank_boost float`,
		`alter table listings add sponsored boolean`,
		`alter table listings add sponsor_price bigint`,
		`alter table listings add sold_count bigint`,
		`alter table listings add sold bigint`,
		`alter table listings add views bigint`,
		`alter table listings add initial_sales bigint`,
		`alter table posts add likes_count bigint`,
		`create table bids (amount bigint)`,
		`create table address_book (phone text)`,
		`create table mass_messages (body text)`,
		`alter table sessions add ip inet`,
		`alter table sessions add last_ip text`,
	} {
		t.Run(sql, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t)
			before, err := complaints(t.Context(), pool)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := pool.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
			after, err := complaints(t.Context(), pool)
			if err != nil {
				t.Fatal(err)
			}
			if len(after) <= len(before) {
				t.Error("nobody complains")
			}
		})
	}
}
