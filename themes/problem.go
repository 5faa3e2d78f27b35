package themes

// Message ids (Words.T) of what can be wrong in a form of the storefront, for Field.Error and the Problem fields. Those with
// a placeholder say so.
const (
	ProblemRequired     = "problem.required"
	ProblemReach        = "problem.reach" // neither e-mail nor phone
	ProblemEmail        = "problem.email"
	ProblemPhone        = "problem.phone"
	ProblemCountry      = "problem.country"
	ProblemQuantity     = "problem.quantity" // Max
	ProblemVariant      = "problem.variant"
	ProblemPayment      = "problem.payment"
	ProblemDelivery     = "problem.delivery"
	ProblemLong         = "problem.long" // Max
	ProblemSoldOut      = "problem.sold_out"
	ProblemFew          = "problem.too_few"       // Left
	ProblemPriceChanged = "problem.price_changed" // Price
	ProblemNumber       = "problem.number"
	ProblemHandle       = "problem.handle"
	ProblemUnreachable  = "problem.unreachable" // Server
	ProblemSearch       = "problem.search"
	ProblemTarget       = "problem.target"
)
