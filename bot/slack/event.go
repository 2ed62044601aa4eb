package slack

import (
	"cmp"
	"html"
	"regexp"
	"strings"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
)

// arrival is what an event of the Events API asks for: an item for the inbox,
// or a page to show. Both may be nil: the event is none of the bot's business.
type arrival struct {
	item      *item
	home      string                       // the user who opened the app's home
	assistant *slackevents.AssistantThread // a new assistant thread
}

// read decides whether an event calls the bot. Mentions, direct messages and
// replies that may belong to a followed thread do; other bots, itself and
// messages to another person do not. listen tells whether a channel has every
// question answered without a mention.
func (w *who) read(e slackevents.EventsAPIEvent, listen func(channel string) bool) arrival {
	switch ev := e.InnerEvent.Data.(type) {
	case *slackevents.AppMentionEvent:
		m := posted{channel: ev.Channel, ts: ev.TimeStamp, thread: ev.ThreadTimeStamp, user: ev.User, bot: ev.BotID,
			team: cmp.Or(ev.UserTeam, ev.SourceTeam), text: ev.Text}
		if ev.Edited != nil {
			m.rev = ev.Edited.TimeStamp
		}
		return w.message(e, m, listen)
	case *slackevents.MessageEvent:
		return w.event(e, ev, listen)
	case *slackevents.AppHomeOpenedEvent:
		if ev.Tab == "" || ev.Tab == "home" {
			return arrival{home: ev.User}
		}
	case *slackevents.AssistantThreadStartedEvent:
		return arrival{assistant: &ev.AssistantThread}
	}
	return arrival{}
}

// posted is a message as both event types tell it.
type posted struct {
	channel, ts, thread, user, bot, team, text, rev string
	im                                              bool
}

func (w *who) event(e slackevents.EventsAPIEvent, ev *slackevents.MessageEvent, listen func(string) bool) arrival {
	m := posted{channel: ev.Channel, im: ev.ChannelType == slackevents.ChannelTypeIM || strings.HasPrefix(ev.Channel, "D")}
	switch ev.SubType {
	case "", slackgo.MsgSubTypeFileShare, slackgo.MsgSubTypeThreadBroadcast, slackgo.MsgSubTypeMeMessage:
		m.ts, m.thread, m.user, m.bot, m.text = ev.TimeStamp, ev.ThreadTimeStamp, ev.User, ev.BotID, ev.Text
		m.team = cmp.Or(ev.UserTeam, ev.SourceTeam)
		return w.message(e, m, listen)
	case slackgo.MsgSubTypeMessageChanged:
		n := ev.Message
		if n == nil {
			return arrival{}
		}
		if n.SubType == "tombstone" { // deleted, with replies that stay
			return w.deleted(e, ev.Channel, n.Timestamp, ev.PreviousMessage)
		}
		if n.Edited == nil || ev.PreviousMessage != nil && ev.PreviousMessage.Text == n.Text {
			return arrival{} // a preview or a reply count changed, not the words
		}
		m.ts, m.thread, m.user, m.bot, m.text, m.rev = n.Timestamp, n.ThreadTimestamp, n.User, n.BotID, n.Text, n.Edited.Timestamp
		return w.message(e, m, listen)
	case slackgo.MsgSubTypeMessageDeleted:
		return w.deleted(e, ev.Channel, ev.DeletedTimeStamp, ev.PreviousMessage)
	}
	return arrival{}
}

func (w *who) deleted(e slackevents.EventsAPIEvent, channel, ts string, before *slackgo.Msg) arrival {
	if ts == "" || before != nil && (before.BotID != "" || before.User == w.user) {
		return arrival{}
	}
	return arrival{item: &item{key: key{cmp.Or(e.TeamID, w.team), channel, ts}, Kind: kindMessage, Thread: ts, Deleted: true}}
}

func (w *who) message(e slackevents.EventsAPIEvent, m posted, listen func(string) bool) arrival {
	if m.bot != "" || m.user == "" || m.user == w.user || m.user == "USLACKBOT" || m.ts == "" {
		return arrival{}
	}
	mention := strings.Contains(m.text, "<@"+w.user+">") || strings.Contains(m.text, "<@"+w.user+"|")
	if _, ok := e.InnerEvent.Data.(*slackevents.AppMentionEvent); ok {
		mention = true
	}
	if !mention && !m.im && addressed.MatchString(m.text) {
		return arrival{} // to somebody else
	}
	it := &item{key: key{cmp.Or(e.TeamID, w.team), m.channel, m.ts}, Kind: kindMessage, Thread: cmp.Or(m.thread, m.ts), User: m.user,
		Text: m.text, Rev: m.rev, Foreigner: m.team != "" && m.team != w.team && m.team != w.grid}
	it.Uncalled = !mention && !m.im && !(m.thread == "" && listen(m.channel) && isQuestion(m.text))
	if it.Uncalled && (m.thread == "" || isCourtesy(m.text)) {
		return arrival{}
	}
	return arrival{item: it}
}

// addressed matches a mention of a person or of a group of persons.
var addressed = regexp.MustCompile(`<@[UW][A-Z0-9]+(\|[^>]*)?>|<!subteam\^`)

var (
	userRE    = regexp.MustCompile(`<@([UW][A-Z0-9]+)(?:\|([^>]*))?>`)
	channelRE = regexp.MustCompile(`<#[A-Z0-9]+(?:\|([^>]*))?>`)
	specialRE = regexp.MustCompile(`<!(?:subteam\^[A-Z0-9]+\|)?([^>|]*)(?:\|([^>]*))?>`)
	linkRE    = regexp.MustCompile(`<((?:https?|mailto):[^>|]*)(?:\|([^>]*))?>`)
)

// plain is the question in a message: without mentions of people, with links
// and channels by name, and without Slack's escaping.
func plain(text string) string {
	text = userRE.ReplaceAllString(text, " ")
	text = channelRE.ReplaceAllString(text, "#$1")
	text = linkRE.ReplaceAllStringFunc(text, func(s string) string {
		m := linkRE.FindStringSubmatch(s)
		return cmp.Or(m[2], m[1])
	})
	text = specialRE.ReplaceAllString(text, " ")
	return strings.TrimSpace(html.UnescapeString(text))
}
