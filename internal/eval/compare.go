package eval

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"zhengda/bot"
)

// Comparison is how the same questions are answered without and with a model.
type Comparison struct {
	Builtin Result `json:"builtin"`
	Model   Result `json:"model"`
	// Asked are the questions that went to the model, Used those whose
	// sentences it picked; Outcomes counts why the others were not.
	Asked     int            `json:"asked"`
	Used      int            `json:"used"`
	Outcomes  map[string]int `json:"outcomes"`
	TokensIn  int64          `json:"tokens_in"`
	TokensOut int64          `json:"tokens_out"`
	Cost      float64        `json:"cost"`
	Times     struct {
		Builtin Times `json:"builtin"`
		Model   Times `json:"model"`
	} `json:"answer_ms"`
}

// Times are how long answers took, in milliseconds.
type Times struct {
	P50 int64 `json:"p50"`
	P95 int64 `json:"p95"`
}

// Compare scores the replies to the same cases without and with a model.
func Compare(cases []Case, builtin, model []Reply, k *Corpus) Comparison {
	c := Comparison{Builtin: Score(cases, builtin, k), Model: Score(cases, model, k), Outcomes: map[string]int{}}
	for _, r := range model {
		x := r.Receipt
		if x == nil {
			continue
		}
		c.Asked++
		c.TokensIn, c.TokensOut, c.Cost = c.TokensIn+x.TokensIn, c.TokensOut+x.TokensOut, c.Cost+x.Cost
		if x.Outcome == bot.Used {
			c.Used++
		} else {
			c.Outcomes[x.Outcome]++
		}
	}
	c.Times.Builtin, c.Times.Model = timesOf(builtin), timesOf(model)
	return c
}

func timesOf(rs []Reply) Times {
	if len(rs) == 0 {
		return Times{}
	}
	var ms []int64
	for _, r := range rs {
		ms = append(ms, r.Timing.Total)
	}
	slices.Sort(ms)
	return Times{ms[(len(ms)-1)/2], ms[(len(ms)-1)*95/100]}
}

// Worse are the types of question whose share of right answers is by more than
// by smaller with the model.
func (c Comparison) Worse(by float64) []string {
	var out []string
	for i, was := range c.Builtin.Types {
		if is := c.Model.Types[i]; was.OK != nil && is.OK != nil && float64(*was.OK)-float64(*is.OK) > by+1e-9 {
			out = append(out, was.Type)
		}
	}
	return out
}

// String is a table, a row a type, and what the model was used for and cost.
func (c Comparison) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-15s%6s%9s%9s%13s%13s%11s%11s%9s%9s\n", "type", "n", "ok", "model", "cite_recall", "model", "cite_prec", "model", "chars", "model")
	with := append(slices.Clone(c.Model.Types), c.Model.All)
	for i, x := range append(slices.Clone(c.Builtin.Types), c.Builtin.All) {
		y := with[i]
		fmt.Fprintf(&b, "%-15s%6d%9s%9s%13s%13s%11s%11s%9s%9s\n", x.Type, x.N, x.OK, y.OK, x.Recall, y.Recall, x.Precision, y.Precision, x.Length, y.Length)
	}
	fmt.Fprintf(&b, "model asked %d of %d, its choice used %d, fell back %d\n", c.Asked, c.Model.Cases, c.Used, c.Asked-c.Used)
	for _, why := range slices.Sorted(maps.Keys(c.Outcomes)) {
		fmt.Fprintf(&b, "  %d: %s\n", c.Outcomes[why], why)
	}
	fmt.Fprintf(&b, "tokens in %d, out %d, cost %.4f\n", c.TokensIn, c.TokensOut, c.Cost)
	fmt.Fprintf(&b, "answer ms p50 %d, p95 %d; model p50 %d, p95 %d\n", c.Times.Builtin.P50, c.Times.Builtin.P95, c.Times.Model.P50, c.Times.Model.P95)
	return b.String()
}
