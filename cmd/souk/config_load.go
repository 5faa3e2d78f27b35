package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/pflag"
)

// configName is the file that is read when none is named and it exists in the working directory.
const configName = "souk.toml"

// given is a value as somebody wrote it, and where.
type given struct {
	text   string
	source source
}

// level is what one source of settings gave, by name. A secret may stand under its own name or as name_file.
type level map[string]given

// loadConfig resolves every setting by flags, environment, file and default, in this order. A flag given as empty
// puts a setting back to its default; an empty variable counts as not given, since container tools pass those. The
// error is ConfigErrors with everything that is wrong.
func loadConfig(flags *pflag.FlagSet, environ []string) (*Config, error) {
	table := settings()
	c := &Config{sources: map[string]source{}, texts: map[string]string{}}
	env := environment(environ)
	fileLevel, found := fileSettings(configPath(flags, env), table)
	levels := []level{flagSettings(flags, table), envSettings(env, table), fileLevel}
	c.Warnings = misspelledVariables(env, table)

	broken := map[string]bool{}
	for _, s := range table {
		if e, ok := c.resolve(s, levels); !ok {
			broken[s.name] = true
			found = append(found, e)
		}
	}
	for name, domain := range map[string]*string{"domain": &c.Domain, "handle_domain": &c.HandleDomain} {
		*domain = withoutDefaultPort(*domain, c.Scheme)
		c.texts[name] = *domain
	}
	found = append(found, c.check(broken)...)
	if len(found) > 0 {
		slices.SortStableFunc(found, func(a, b SettingError) int { return cmp.Compare(position(table, a.Name), position(table, b.Name)) })
		return nil, found
	}
	return c, nil
}

// position is the place of a setting in the table; what is none comes first.
func position(table []setting, name string) int {
	return slices.IndexFunc(table, func(s setting) bool { return s.name == name })
}

// resolve sets s from the highest level that has it, else from its default. A wrong value is reported and replaced
// by the default, so that the settings that depend on it are checked against something sensible.
func (c *Config) resolve(s setting, levels []level) (SettingError, bool) {
	written := func(name string) string {
		for _, l := range levels {
			if g, ok := l[name]; ok {
				return g.text
			}
		}
		return ""
	}
	g, err := s.pick(levels)
	if err == nil && g.text != "" {
		c.sources[s.name] = g.source
		if c.texts[s.name], err = s.set(c, g.text); err == nil {
			return SettingError{}, true
		}
	}
	fallbackErr := c.fallBack(s, written)
	if err == nil && fallbackErr == nil {
		return SettingError{}, true
	}
	problem, fix := problemOf(cmp.Or(err, fallbackErr))
	return SettingError{Name: s.name, Source: g.source.label(), Problem: problem, Fix: fix}, false
}

// fallBack sets s to its default, if it has one.
func (c *Config) fallBack(s setting, written func(string) string) (err error) {
	delete(c.texts, s.name)
	delete(c.sources, s.name)
	if s.fallback == nil {
		return nil
	}
	if value := s.fallback(c, written); value != "" {
		c.texts[s.name], err = s.set(c, value)
	}
	return err
}

// pick takes the value of s from the highest level that has one, read from the file where s is given as name_file.
func (s setting) pick(levels []level) (given, error) {
	for _, l := range levels {
		g, has := l[s.name]
		inFile, hasFile := l[s.name+"_file"]
		switch {
		case has && hasFile:
			return g, wrong("keep one of the two", "is given as a value and as a file (%s) at once", inFile.source)
		case has:
			return g, nil
		case hasFile && inFile.text != "":
			text, err := readSecret(inFile.text)
			inFile.source.via = inFile.text
			return given{text, inFile.source}, err
		case hasFile:
			return inFile, nil
		}
	}
	return given{}, nil
}

// readSecret reads the one line of a secret's file.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", wrong("name a file that this user may read", "%v", err)
	}
	defer f.Close()
	const most = 16 << 10
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return "", wrong("name a file that this user may read", "%v", err)
	}
	text := strings.TrimSpace(string(content))
	if len(content) > most || text == "" || strings.ContainsAny(text, "\r\n") {
		return "", wrong("write the value alone on the first line", "%s does not hold one line", path)
	}
	return text, nil
}

// addSettingFlags adds a flag for every setting. All but the most used are left out of each command's help, which
// would drown in them.
func addSettingFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "configuration `FILE` (default "+configName+" where it exists)")
	shown := []string{"domain", "listen", "data_dir"}
	for _, s := range settings() {
		sentence, _, _ := strings.Cut(strings.ReplaceAll(s.doc, "\n", " "), ". ")
		flags.Var(&settingFlag{shape: s.value}, s.flag(), strings.TrimSuffix(sentence, "."))
		names := []string{s.flag()}
		if s.secret != notSecret {
			flags.String(s.flag()+"-file", "", "`FILE` that holds the value of --"+s.flag())
			names = append(names, s.flag()+"-file")
		}
		if slices.Contains(shown, s.name) {
			continue
		}
		for _, name := range names {
			flags.Lookup(name).Hidden = true
		}
	}
}

// settingFlag is the value of a setting's flag as it was written; the table parses it later, with all others.
type settingFlag struct{ text, shape string }

func (f *settingFlag) String() string        { return f.text }
func (f *settingFlag) Set(text string) error { f.text = text; return nil }

// Type is what help shows for a value.
func (f *settingFlag) Type() string { return f.shape }

// names are the spellings of s in a file: its own, and for a secret that of the file that holds it.
func (s setting) names() []string {
	if s.secret != notSecret {
		return []string{s.name, s.name + "_file"}
	}
	return []string{s.name}
}

func flagSettings(flags *pflag.FlagSet, table []setting) level {
	l := level{}
	for _, s := range table {
		for _, name := range s.names() {
			f := flags.Lookup(strings.ReplaceAll(name, "_", "-"))
			if f != nil && f.Changed {
				l[name] = given{f.Value.String(), source{kind: fromFlag, name: "--" + f.Name}}
			}
		}
	}
	return l
}

// environment is environ as a map; of a name that stands twice the last counts, as for a shell.
func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok {
			env[name] = value
		}
	}
	return env
}

func envSettings(env map[string]string, table []setting) level {
	l := level{}
	for _, s := range table {
		for _, name := range s.names() {
			variable := "SOUK_" + strings.ToUpper(name)
			if v := env[variable]; v != "" {
				l[name] = given{v, source{kind: fromEnv, name: variable}}
			}
		}
	}
	return l
}

// misspelledVariables warns of variables that are nearly a setting's. Others may begin with SOUK_ for good reasons:
// container tools invent such names for a service that is called souk.
func misspelledVariables(env map[string]string, table []setting) []SettingError {
	var found []SettingError
	for variable := range env {
		name, ok := strings.CutPrefix(variable, "SOUK_")
		if !ok {
			continue
		}
		name = strings.ToLower(name)
		near, distance := nearest(name, table)
		if distance > 0 && distance <= 2 {
			found = append(found, SettingError{Name: near, Source: variable, Problem: "is no setting and has no effect",
				Fix: "write SOUK_" + strings.ToUpper(near)})
		}
	}
	slices.SortFunc(found, func(a, b SettingError) int { return cmp.Compare(a.Source, b.Source) })
	return found
}

// configFile is a file to read; wanted means that somebody named it, so that its absence is an error.
type configFile struct {
	path   string
	source string
	wanted bool
}

func configPath(flags *pflag.FlagSet, env map[string]string) configFile {
	if f := flags.Lookup("config"); f != nil && f.Value.String() != "" {
		return configFile{f.Value.String(), "--config", true}
	}
	if v := env["SOUK_CONFIG"]; v != "" {
		return configFile{v, "SOUK_CONFIG", true}
	}
	return configFile{configName, "", false}
}

// fileSettings reads the settings of a TOML file, with the line of each, and every error in it.
func fileSettings(file configFile, table []setting) (level, ConfigErrors) {
	content, err := os.ReadFile(file.path)
	if errors.Is(err, fs.ErrNotExist) && !file.wanted {
		return nil, nil
	}
	if err != nil {
		return nil, ConfigErrors{{Name: "config", Source: file.source, Problem: err.Error(),
			Fix: "name a file that this user may read; souk config describe prints one to start from"}}
	}
	var values map[string]toml.Primitive
	md, err := toml.Decode(string(content), &values)
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return nil, ConfigErrors{{Name: "config", Source: fmt.Sprintf("%s:%d", file.path, syntax.Position.Line),
			Problem: syntax.Message, Fix: "write one setting a line: " + `domain = "shop.example"`}}
	}
	if err != nil {
		return nil, ConfigErrors{{Name: "config", Source: file.path, Problem: err.Error()}}
	}
	l, found := level{}, ConfigErrors(nil)
	for _, key := range md.Keys() {
		if len(key) != 1 {
			continue // inside a table, which is reported by its own name
		}
		name := key[0]
		value, line := locate(&md, values[name])
		from := source{kind: fromFile, name: file.path, line: line}
		s, known := settingOf(table, name)
		if !known {
			near, _ := nearest(name, table)
			found = append(found, SettingError{Name: name, Source: from.label(), Problem: "there is no such setting",
				Fix: "the nearest name is " + near})
			continue
		}
		text, err := s.written(value)
		if err != nil {
			problem, fix := problemOf(err)
			found = append(found, SettingError{Name: name, Source: from.label(), Problem: problem, Fix: fix})
			continue
		}
		l[name] = given{text, from}
	}
	return l, found
}

// settingOf finds the setting that a key of the file sets, directly or as name_file.
func settingOf(table []setting, key string) (setting, bool) {
	for _, s := range table {
		if slices.Contains(s.names(), key) {
			return s, true
		}
	}
	return setting{}, false
}

// located takes a value out of the TOML decoder and refuses it, since only the decoder's errors tell the line.
type located struct{ value any }

var errLocated = errors.New("located")

func (l *located) UnmarshalTOML(value any) error { l.value = value; return errLocated }

// locate returns the value of a key and its line, 0 if the decoder does not tell.
func locate(md *toml.MetaData, p toml.Primitive) (value any, line int) {
	var l located
	var at toml.ParseError
	if errors.As(md.PrimitiveDecode(p, &l), &at) {
		line = at.Position.Line
	}
	return l.value, line
}

// written is a value of the file as it would stand in the environment.
func (s setting) written(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case int64:
		if s.kind == numberSetting {
			return strconv.FormatInt(v, 10), nil
		}
	case float64:
		if s.kind == numberSetting {
			return strconv.FormatFloat(v, 'f', -1, 64), nil
		}
	case []any:
		var list []string
		for _, item := range v {
			text, ok := item.(string)
			if !ok || s.kind != listSetting {
				list = nil
				break
			}
			list = append(list, text)
		}
		if list != nil {
			return strings.Join(list, ","), nil
		}
		if s.kind == listSetting && len(v) == 0 {
			return "none", nil
		}
	}
	switch s.kind {
	case numberSetting:
		return "", wrong("write "+s.name+" = 1", "is not a number")
	case listSetting:
		return "", wrong("write "+s.name+` = ["...", "..."]`, "is not a list of texts")
	default:
		return "", wrong("write "+s.name+` = "..."`, "is not a text in quotes")
	}
}

// nearest is the name in the table that takes the fewest changed letters to become name, and their number.
func nearest(name string, table []setting) (near string, distance int) {
	distance = -1
	for _, s := range table {
		for _, candidate := range s.names() {
			if d := editDistance(name, candidate); distance < 0 || d < distance {
				near, distance = candidate, d
			}
		}
	}
	return near, distance
}

// editDistance is the Levenshtein distance of two short names.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
