package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Finding is one thing that was checked.
type Finding struct {
	What string
	OK   bool
	Do   string // what to do about it; "" when OK
}

// Doctor asks the service one question with a tool to call, and says whether
// it was reached, let in, calls tools, and how fast it was.
func (m *Model) Doctor(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	start := time.Now()
	probe := toolSpec{Name: "ping", Description: "Answers pong. Call it once.", Parameters: json.RawMessage(`{"type":"object","properties":{}}`)}
	said, err := m.chat(ctx, []message{user("Call the tool ping.")}, []toolSpec{probe})
	took := time.Since(start).Round(time.Millisecond)
	reached := Finding{What: "模型服务可达", OK: true}
	let := Finding{What: "密钥有效", OK: true}
	switch {
	case errors.Is(err, ErrModelDenied):
		let.OK, let.Do = false, "检查 ZHENGDA_LLM_API_KEY"
		return []Finding{reached, let}
	case errors.Is(err, ErrModelBusy):
		return []Finding{reached, let, {What: "模型服务未限流", Do: "服务返回 429:稍后再试,或提高配额"}}
	case errors.Is(err, ErrModelRejected):
		return []Finding{reached, let, {What: "模型接受请求", Do: "检查 ZHENGDA_LLM_MODEL,并确认该模型支持工具调用"}}
	case errors.Is(err, ErrModelBad):
		return []Finding{reached, let, {What: "模型的答复可读", Do: "确认地址是 OpenAI 兼容接口(通常以 /v1 结尾)"}}
	case err != nil:
		reached.OK, reached.Do = false, "检查 ZHENGDA_LLM_BASE_URL 和网络;内置方式照常作答"
		return []Finding{reached}
	}
	tools := Finding{What: "支持工具调用", OK: len(said.calls) > 0}
	if !tools.OK {
		tools.Do = "没有调用工具也能作答,但只用检索到的条款;可换支持工具的模型"
	}
	speed := Finding{What: fmt.Sprintf("一次答复用时 %s", took), OK: took < m.Timeout/2}
	if !speed.OK {
		speed.Do = "太慢:换更快的模型,或加大 ZHENGDA_TIMEOUT"
	}
	return []Finding{reached, let, tools, speed}
}
