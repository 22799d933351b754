package portico

// Outcome is what a GatewayRspCode means to somebody who only reads reports.
type Outcome string

const (
	Done    Outcome = "ok"
	Empty   Outcome = "empty"   // there is nothing to tell; no error
	Retry   Outcome = "retry"   // the gateway or what stands behind it is away: ask again later
	Narrow  Outcome = "narrow"  // the question was too large: ask for less at a time
	Missing Outcome = "missing" // what was asked for does not exist (any more)
	Refused Outcome = "refused" // key or rights: no repetition mends it, a person must act
	Wrong   Outcome = "wrong"   // the request does not suit; a report is never answered so unless a program errs
)

// code is a line of the gateway's table of response codes.
type code struct {
	meaning Outcome
	text    string
}

// codes is the table "Gateway Response Codes". Those of money-moving requests are here as well: that none of them can be the answer to a
// report is the gateway's promise, and what it means if it breaks it is said all the same.
var codes = map[int]code{
	-21: {Refused, "unauthorized"},
	-2:  {Refused, "authentication error"},
	-1:  {Retry, "Portico error"},
	0:   {Done, "success"},
	1:   {Retry, "gateway system error"},
	2:   {Wrong, "duplicate transaction"},
	3:   {Missing, "invalid original transaction"},
	4:   {Wrong, "transaction already associated with a batch"},
	5:   {Empty, "no current batch"},
	6:   {Wrong, "invalid return amount"},
	7:   {Wrong, "invalid report parameters"},
	8:   {Wrong, "bad track data"},
	9:   {Empty, "no transaction associated with the batch"},
	10:  {Empty, "empty report"},
	11:  {Wrong, "original transaction not CPC"},
	12:  {Wrong, "invalid CPC data"},
	13:  {Wrong, "invalid edit data"},
	14:  {Wrong, "invalid card number"},
	15:  {Retry, "batch close in progress"},
	16:  {Wrong, "invalid ship date"},
	17:  {Wrong, "invalid encryption version"},
	18:  {Wrong, "E3 MSR failure"},
	19:  {Wrong, "invalid reversal amount"},
	20:  {Narrow, "database operation time-out"},
	21:  {Retry, "archive database unavailable"},
	22:  {Retry, "archive database unavailable"},
	23:  {Wrong, "error looking up a supplied token"},
	24:  {Wrong, "tokenization not supported for this service"},
	25:  {Wrong, "token both presented and requested"},
	26:  {Wrong, "invalid card data"},
	27:  {Wrong, "token not found"},
	30:  {Retry, "gateway or host timed out"},
	31:  {Retry, "the gateway's own reversal failed"},
	32:  {Wrong, "missing KTB"},
	33:  {Wrong, "missing KSN"},
	34:  {Wrong, "invalid card data"},
	50:  {Retry, "processor system error"},
}

// Means is the outcome of a code; one that is not in the table is Wrong.
func Means(c int) Outcome {
	if k, ok := codes[c]; ok {
		return k.meaning
	}
	return Wrong
}

// Text is the table's word for a code.
func Text(c int) string {
	if k, ok := codes[c]; ok {
		return k.text
	}
	return "a code that is in no table"
}

// unknown are the codes after which nobody knows whether the payment happened; the till then sends a reversal.
var unknown = map[int]bool{1: true, 30: true, 31: true, 50: true}
