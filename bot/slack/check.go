package slack

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"
)

// Finding is one thing that was checked.
type Finding struct {
	What string // what was checked, and what was found
	OK   bool
	Do   string // what to do, when not OK
}

// scopes are what the bot token must be allowed, and what each is for.
var scopes = []struct{ name, use string }{
	{"app_mentions:read", "接收提及"}, {"channels:history", "在话题中跟进"}, {"groups:history", "在私有频道的话题中跟进"},
	{"im:history", "接收私信"}, {"mpim:history", "在多人私信中跟进"}, {"chat:write", "回答"}, {"reactions:write", "标记处理状态"},
	{"commands", "/zhengda 与消息快捷操作"}, {"users:read", "识别工作人员"}, {"users:read.email", "按邮箱域名识别工作人员"},
	{"usergroups:read", "按用户组识别工作人员"}, {"channels:read", "判断频道是否公开"}, {"groups:read", "判断频道是否私有"},
	{"im:write", "从首页打开私信"}, {"files:write", "上传图表"}, {"assistant:write", "助手话题"}, {"metadata.message:read", "重启后找回已发出的回答"},
}

// maxSkew is how far the clock may be from Slack's; signatures older than five
// minutes are refused.
const maxSkew = time.Minute

// Check asks Slack whether the tokens, their scopes and the clock are right.
// It changes nothing, and says what to do about each thing that is wrong.
func Check(ctx context.Context, c Config) []Finding {
	c = c.withDefaults()
	var out []Finding
	add := func(ok bool, what, do string) {
		if ok {
			do = ""
		}
		out = append(out, Finding{What: what, OK: ok, Do: do})
	}
	client := func(seen func(http.Header)) *slackgo.Client {
		return slackgo.New(c.BotToken, slackgo.OptionAppLevelToken(c.AppToken), slackgo.OptionAPIURL(c.APIURL), slackgo.OptionHTTPClient(c.HTTPClient),
			slackgo.OptionOnResponseHeaders(func(_ string, h http.Header) { seen(h) }))
	}
	add(strings.HasPrefix(c.BotToken, "xoxb-"), "机器人令牌 SLACK_BOT_TOKEN", "在应用的 OAuth & Permissions 页安装应用,复制 xoxb- 开头的令牌")
	if c.BotToken != "" {
		var head http.Header
		r, err := client(func(h http.Header) { head = h }).AuthTestContext(ctx)
		if err != nil {
			add(false, "auth.test:"+redact(err).Error(), advice(err, "重新安装应用并更新 SLACK_BOT_TOKEN"))
		} else {
			add(true, fmt.Sprintf("auth.test:工作区 %s,机器人 %s", r.Team, r.User), "")
			checkScopes(head, add)
			checkClock(head, c.Now(), add)
		}
	}
	switch {
	case c.AppToken != "":
		add(strings.HasPrefix(c.AppToken, "xapp-"), "应用令牌 SLACK_APP_TOKEN", "在 Basic Information 页生成带 connections:write 的 App-Level Token(xapp- 开头)")
		_, _, err := client(func(http.Header) {}).StartSocketModeContext(ctx)
		if err != nil {
			add(false, "apps.connections.open:"+redact(err).Error(), advice(err, "打开 Socket Mode,并使用带 connections:write 的 App-Level Token"))
		} else {
			add(true, "apps.connections.open:可以建立连接", "")
		}
	default:
		add(c.SigningSecret != "", "接收方式:没有 SLACK_APP_TOKEN,使用 Events API", "设置 SLACK_APP_TOKEN(推荐)或 SLACK_SIGNING_SECRET")
	}
	if c.SigningSecret != "" {
		add(len(c.SigningSecret) == 32, "签名密钥 SLACK_SIGNING_SECRET", "在 Basic Information 页复制 Signing Secret(32 位)")
	}
	if len(c.StaffGroups)+len(c.StaffDomains) == 0 {
		add(true, "工作人员:没有设置用户组或邮箱域名,所有人都按企业用户回答", "")
	}
	return out
}

func checkScopes(h http.Header, add func(bool, string, string)) {
	list := h.Get("X-Oauth-Scopes")
	if list == "" {
		return
	}
	var have []string
	for _, s := range strings.Split(list, ",") {
		have = append(have, strings.TrimSpace(s))
	}
	var missing []string
	for _, s := range scopes {
		if !slices.Contains(have, s.name) {
			missing = append(missing, s.name+"("+s.use+")")
		}
	}
	if len(missing) == 0 {
		add(true, fmt.Sprintf("权限:%d 项齐全", len(scopes)), "")
		return
	}
	add(false, "权限缺少:"+strings.Join(missing, "、"), "在 OAuth & Permissions 页添加(或重新导入 slack/manifest.yaml),然后重新安装应用")
}

func checkClock(h http.Header, now time.Time, add func(bool, string, string)) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	skew := time.Duration(math.Abs(float64(now.Sub(at))))
	add(skew <= maxSkew, fmt.Sprintf("时钟与 Slack 相差 %d 秒", int(skew.Seconds())), "校准本机时钟(NTP);相差超过五分钟时签名会被拒绝")
}

// advice is what to do about an error of Slack, or about not reaching it.
func advice(err error, refused string) string {
	if code(err) == "" {
		return "检查网络、代理与 SLACK_API_URL"
	}
	return refused
}
