package souk

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/text/currency"
)

// Money is an amount in minor units (cents; yen have none) of an ISO 4217 currency.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// MaxAmount bounds every price and sum, so that no multiplication of a line can overflow.
const MaxAmount = 1_000_000_000_00

// CurrencyExponent is how many decimals the currency has (EUR 2, JPY 0, KWD 3); an error where it is none.
func CurrencyExponent(code string) (int, error) {
	unit, err := currency.ParseISO(code)
	if err != nil || unit.String() != code {
		return 0, fmt.Errorf("%q is not an ISO 4217 currency", code)
	}
	scale, _ := currency.Standard.Rounding(unit)
	return scale, nil
}

// Decimal is the amount as a plain decimal without the currency: "24.00", "168" for yen.
func (m Money) Decimal() string {
	exp, err := CurrencyExponent(m.Currency)
	if err != nil {
		exp = 2
	}
	digits := strconv.FormatInt(m.Amount, 10)
	sign := ""
	if m.Amount < 0 {
		sign, digits = "-", digits[1:]
	}
	if exp == 0 {
		return sign + digits
	}
	if len(digits) <= exp {
		digits = strings.Repeat("0", exp+1-len(digits)) + digits
	}
	return sign + digits[:len(digits)-exp] + "." + digits[len(digits)-exp:]
}

// ParseMoney reads a plain decimal ("24", "24.5", "24,50", full-width digits too) in the currency. It refuses thousands
// separators, signs and more decimals than the currency has: a price is never guessed. So a comma before three digits is
// refused in the currencies of three decimals too.
func ParseMoney(s, code string) (Money, error) {
	exp, err := CurrencyExponent(code)
	if err != nil {
		return Money{}, invalid("currency", "currency", "%v", err)
	}
	comma := false
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == '，', r == ',':
			comma = true
			return '.'
		case r == '．', r == '。':
			return '.'
		}
		return r
	}, strings.TrimSpace(s))
	whole, frac, _ := strings.Cut(s, ".")
	if comma && len(frac) == 3 || whole == "" || len(whole) > 12 || len(frac) > exp || strings.HasSuffix(s, ".") || !digitsOnly(whole) || !digitsOnly(frac) {
		return Money{}, invalid("price", "price", "write a price such as %s", Money{Amount: int64(2450 * math.Pow10(exp-2)), Currency: code}.Decimal())
	}
	amount, err := strconv.ParseInt(whole+frac+strings.Repeat("0", exp-len(frac)), 10, 64)
	if err != nil || amount > MaxAmount {
		return Money{}, invalid("price", "price_large", "the price is too large")
	}
	return Money{Amount: amount, Currency: code}, nil
}

func digitsOnly(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// check adds what keeps m from being a price: a known currency, 0 <= amount <= MaxAmount.
func (m Money) check(field string, e *Invalid) {
	if _, err := CurrencyExponent(m.Currency); err != nil {
		e.Add(field, "currency", "%v", err)
	}
	if m.Amount < 0 {
		e.Add(field, "price", "a price cannot be negative")
	}
	if m.Amount > MaxAmount {
		e.Add(field, "price_large", "the price is too large")
	}
}
