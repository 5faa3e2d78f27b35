package themes

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Signs of currencies after CLDR 46. A currency without a sign in the language is written with its ISO code.
var (
	signs = map[string]map[string]string{
		"en": {
			"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "HKD": "HK$", "TWD": "NT$", "CAD": "CA$", "AUD": "A$",
			"NZD": "NZ$", "KRW": "₩", "INR": "₹", "BRL": "R$", "MXN": "MX$", "ILS": "₪", "VND": "₫", "PHP": "₱",
		},
		"zh": {
			"USD": "US$", "EUR": "€", "GBP": "£", "JPY": "JP¥", "CNY": "¥", "HKD": "HK$", "TWD": "NT$", "CAD": "CA$", "AUD": "AU$",
			"NZD": "NZ$", "KRW": "₩", "INR": "₹", "BRL": "R$", "MXN": "MX$", "ILS": "₪", "VND": "₫", "PHP": "₱",
		},
	}
	narrowSigns = map[string]string{
		"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "¥", "HKD": "$", "TWD": "$", "CAD": "$", "AUD": "$", "NZD": "$",
		"SGD": "$", "KRW": "₩", "INR": "₹", "BRL": "R$", "MXN": "$", "ILS": "₪", "VND": "₫", "PHP": "₱", "THB": "฿", "TRY": "₺",
		"UAH": "₴", "RUB": "₽", "PLN": "zł", "CZK": "Kč", "HUF": "Ft", "SEK": "kr", "NOK": "kr", "DKK": "kr", "NGN": "₦",
		"KZT": "₸", "MYR": "RM", "IDR": "Rp", "ZAR": "R",
	}
	// Minor digits that are not two (ISO 4217).
	minorDigits = map[string]int{
		"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "VND": 0,
		"VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
		"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	}
)

// MinorDigits is the number of decimals of a currency: 2 for most, 0 for JPY, 3 for KWD.
func MinorDigits(currency string) int {
	if d, ok := minorDigits[currency]; ok {
		return d
	}
	return 2
}

// FormatMoney writes an amount of minor units as lang writes money: "€24.00", "CN¥168", "KWD 1.250". With narrow the short
// sign is used, which is right only where no other currency can be meant. Whole yuan are written without decimals, as on
// every price tag in China.
func FormatMoney(lang string, amount int64, currency string, narrow bool) string {
	sign := signs[baseLanguage(lang)][currency]
	if s, ok := narrowSigns[currency]; narrow && ok {
		sign = s
	}
	if sign == "" {
		sign = currency
	}
	if last, _ := utf8.DecodeLastRuneInString(sign); unicode.IsLetter(last) {
		sign += "\u00a0" // CLDR: a no-break space between letters and figures
	}
	minus := ""
	if amount < 0 {
		minus = "-"
	}
	digits := MinorDigits(currency)
	return minus + sign + decimal(amount, digits, currency == "CNY")
}

// FormatNumber writes a whole number with the separators of lang; both languages of today group by thousands with commas.
func FormatNumber(_ string, n int64) string {
	if n < 0 {
		return "-" + decimal(n, 0, false)
	}
	return decimal(n, 0, false)
}

// decimal writes the absolute value of n, whose last digits are decimals, grouped by thousands. With trim a fraction of
// only zeros is left out.
func decimal(n int64, digits int, trim bool) string {
	s := strings.TrimPrefix(strconv.FormatInt(n, 10), "-")
	for len(s) <= digits {
		s = "0" + s
	}
	whole, fraction := s[:len(s)-digits], s[len(s)-digits:]
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if fraction != "" && !(trim && strings.Trim(fraction, "0") == "") {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// baseLanguage is the language of a tag without script and region: "zh" of "zh-Hans".
func baseLanguage(lang string) string {
	base, _, _ := strings.Cut(lang, "-")
	return base
}
