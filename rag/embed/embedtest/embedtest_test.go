package embedtest

import (
	"context"
	"testing"
	"time"

	"zhengda/rag/embed"
)

func TestHostile(t *testing.T) {
	for _, f := range Faults {
		t.Run(string(f), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			e := Hostile(embed.NewHashed(64), f)
			v, err := e.Embed(ctx, []string{"甲", "乙"})
			if err == nil && embed.Check(v, 2, e.Dim()) == nil {
				t.Error("the answer is sound")
			}
		})
	}
}
