package search

import "strings"

// stems returns the light stems of a folded word that differ from it: English, German, or both for an unknown
// language. They only have to agree between a text and a query, so they need not be words.
func stems(word, lang string) []string {
	if len(word) < 4 || len(word) > 24 || !plainLetters(word) {
		return nil
	}
	var list []string
	primary, _, _ := strings.Cut(strings.ToLower(lang), "-")
	if s := stemEnglish(word); s != word && primary != "de" {
		list = append(list, s)
	}
	if primary == "de" || primary == "" {
		if s := stemGerman(word); s != word && (len(list) == 0 || list[0] != s) {
			list = append(list, s)
		}
	}
	return list
}

func plainLetters(word string) bool {
	for i := range len(word) {
		if word[i] < 'a' || word[i] > 'z' {
			return false
		}
	}
	return true
}

// stemEnglish takes off the endings of plural, past and progressive, and a final e: hikes, hiked, hiking, hike -> hik.
func stemEnglish(w string) string {
	w = englishSingular(w)
	for _, ending := range []string{"ing", "ed"} {
		rest, ok := strings.CutSuffix(w, ending)
		if !ok || len(rest) < 3 || !strings.ContainsAny(rest, "aeiouy") || strings.HasSuffix(w, "eed") {
			continue
		}
		last := rest[len(rest)-1]
		if last == rest[len(rest)-2] && !strings.ContainsRune("aeioulsz", rune(last)) {
			rest = rest[:len(rest)-1] // wedding -> wed
		}
		return strings.TrimSuffix(rest, "e")
	}
	if len(w) > 3 {
		return strings.TrimSuffix(w, "e")
	}
	return w
}

func englishSingular(w string) string {
	switch {
	case len(w) > 4 && strings.HasSuffix(w, "ies"):
		return w[:len(w)-3] + "y"
	case strings.HasSuffix(w, "sses"), strings.HasSuffix(w, "shes"), strings.HasSuffix(w, "ches"),
		strings.HasSuffix(w, "xes"), strings.HasSuffix(w, "zzes"):
		return w[:len(w)-2]
	case strings.HasSuffix(w, "ss"), strings.HasSuffix(w, "us"), strings.HasSuffix(w, "is"):
		return w
	}
	return strings.TrimSuffix(w, "s")
}

// stemGerman takes off one ending of declension, leaving at least four letters: taschen, tasche -> tasch.
func stemGerman(w string) string {
	for _, ending := range []string{"ern", "em", "en", "er", "es", "e", "n", "s"} {
		if rest, ok := strings.CutSuffix(w, ending); ok && len(rest) >= 4 {
			return rest
		}
	}
	return w
}
