package slack

import (
	"context"
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

// scopes are what the bot token must be allowed, in order.
var scopes = []string{
	"app_mentions:read", "assistant:write", "channels:history", "channels:read", "chat:write", "commands", "files:write",
	"groups:history", "groups:read", "im:history", "im:write", "metadata.message:read", "mpim:history", "reactions:write",
	"usergroups:read", "users:read", "users:read.email",
}

// maxSkew is how far the clock may be from Slack's; signatures older than five
// minutes are refused.
const maxSkew = time.Minute

// Check asks Slack whether the tokens, their scopes and the clock are right.
// It changes nothing, and says what to do about each thing that is wrong.
// The findings are in Chinese, or in English.
func Check(ctx context.Context, c Config, inEnglish bool) []Finding {
	t := chinese
	if inEnglish {
		t = english
	}
	c, say := c.withDefaults(), t.say
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
	add(strings.HasPrefix(c.BotToken, "xoxb-"), say("check.bot"), say("check.bot.do"))
	if c.BotToken != "" {
		var head http.Header
		r, err := client(func(h http.Header) { head = h }).AuthTestContext(ctx)
		if err != nil {
			add(false, say("check.failed", "auth.test", redact(err)), t.advice(err, "check.auth.do"))
		} else {
			add(true, say("check.auth", r.Team, r.User), "")
			t.checkScopes(head, add)
			t.checkClock(head, c.Now(), add)
		}
	}
	switch {
	case c.AppToken != "":
		add(strings.HasPrefix(c.AppToken, "xapp-"), say("check.app"), say("check.app.do"))
		_, _, err := client(func(http.Header) {}).StartSocketModeContext(ctx)
		if err != nil {
			add(false, say("check.failed", "apps.connections.open", redact(err)), t.advice(err, "check.socket.do"))
		} else {
			add(true, say("check.socket"), "")
		}
	default:
		add(c.SigningSecret != "", say("check.http"), say("check.http.do"))
	}
	if c.SigningSecret != "" {
		add(len(c.SigningSecret) == 32, say("check.secret"), say("check.secret.do"))
	}
	if len(c.StaffGroups)+len(c.StaffDomains) == 0 {
		add(true, say("check.staff"), "")
	}
	return out
}

func (t tongue) checkScopes(h http.Header, add func(bool, string, string)) {
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
		if !slices.Contains(have, s) {
			missing = append(missing, s)
		}
	}
	if len(missing) == 0 {
		add(true, t.say("check.scopes", len(scopes)), "")
		return
	}
	add(false, t.say("check.missing", strings.Join(missing, ", ")), t.say("check.missing.do"))
}

func (t tongue) checkClock(h http.Header, now time.Time, add func(bool, string, string)) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	skew := time.Duration(math.Abs(float64(now.Sub(at))))
	add(skew <= maxSkew, t.say("check.clock", int(skew.Seconds())), t.say("check.clock.do"))
}

// advice is what to do about an error of Slack, by the key of its text, or
// about not reaching it.
func (t tongue) advice(err error, refused string) string {
	if code(err) == "" {
		return t.say("check.network.do")
	}
	return t.say(refused)
}
