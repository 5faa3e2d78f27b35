package cluster

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// defaults suit a shop on a small machine: 512 MB of memory and one core, all of it with what was acknowledged on disk.
func defaults(logs string) map[string]string {
	return map[string]string{
		"max_connections":              "60",
		"shared_buffers":               "128MB",
		"effective_cache_size":         "384MB",
		"work_mem":                     "8MB",
		"maintenance_work_mem":         "64MB",
		"random_page_cost":             "1.1", // solid state
		"jit":                          "off", // compiling costs more than our short queries
		"fsync":                        "on",
		"synchronous_commit":           "on",
		"full_page_writes":             "on",
		"wal_compression":              "on",
		"max_wal_size":                 "1GB",
		"checkpoint_completion_target": "0.9",
		"timezone":                     "UTC",
		"log_timezone":                 "UTC",

		// A file for each day of the week, overwritten a week later, as long as it stays small.
		"logging_collector":        "on",
		"log_directory":            logs,
		"log_filename":             "postgresql-%a.log",
		"log_rotation_age":         "1d",
		"log_rotation_size":        "0",
		"log_truncate_on_rotation": "on",
		"log_min_messages":         "warning",
		"log_min_error_statement":  "panic", // statements may carry personal data
		"log_line_prefix":          "%m [%p] ",
		"log_checkpoints":          "off",
	}
}

// arguments are those of a postmaster. What keeps the cluster private cannot be overridden.
func (c *Cluster) arguments() []string {
	settings := defaults(c.place.logs())
	maps.Copy(settings, c.cfg.Settings)
	maps.Copy(settings, map[string]string{
		"listen_addresses":        "",
		"port":                    strconv.Itoa(port),
		"unix_socket_directories": `"` + strings.ReplaceAll(c.sockets, `"`, `""`) + `"`, // a list, whose quotes allow any path
		"unix_socket_permissions": "0700",
		"external_pid_file":       "",
	})
	args := []string{"-D", c.place.data()}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}
