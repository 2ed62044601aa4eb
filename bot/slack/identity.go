package slack

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
)

// directory tells who is staff: a full member of the bot's own organisation
// who is in one of the user groups, or whose verified e-mail address is of one
// of the domains. Guests, members of other organisations (Slack Connect), bots
// and whoever cannot be looked up are not.
type directory struct {
	app *App

	mu      sync.Mutex
	users   map[string]known
	members map[string]bool // of the staff groups
	fetched time.Time
}

type known struct {
	staff bool
	until time.Time
}

// How long an answer of Slack about a person or the groups is believed.
const (
	userTTL  = 10 * time.Minute
	groupTTL = 5 * time.Minute
)

// persona is who asks. foreigner says that the event itself tells of another
// organisation.
func (d *directory) persona(ctx context.Context, user string, foreigner bool) bot.Persona {
	if foreigner {
		return bot.Enterprise
	}
	staff, err := d.staff(ctx, user)
	if err != nil {
		d.app.log.Warn("cannot tell whether a user is staff", "user", user, "error", redact(err))
	}
	if staff {
		return bot.Staff
	}
	return bot.Enterprise
}

// staff reports whether a user is staff.
func (d *directory) staff(ctx context.Context, user string) (bool, error) {
	if user == "" || len(d.app.c.StaffGroups)+len(d.app.c.StaffDomains) == 0 {
		return false, nil
	}
	now := d.app.now()
	d.mu.Lock()
	k, ok := d.users[user]
	d.mu.Unlock()
	if !ok || now.After(k.until) {
		staff, err := d.lookUp(ctx, user)
		if err != nil {
			return false, err
		}
		k = known{staff: staff, until: now.Add(userTTL)}
		d.mu.Lock()
		if d.users == nil || len(d.users) > 10_000 {
			d.users = map[string]known{}
		}
		d.users[user] = k
		d.mu.Unlock()
	}
	return k.staff, nil
}

func (d *directory) lookUp(ctx context.Context, user string) (bool, error) {
	u, err := d.app.api.GetUserInfoContext(ctx, user)
	if err != nil {
		return false, err
	}
	if !d.ours(u) {
		return false, nil
	}
	if at := strings.LastIndexByte(u.Profile.Email, '@'); at >= 0 && u.IsEmailConfirmed {
		domain := u.Profile.Email[at+1:]
		if slices.ContainsFunc(d.app.c.StaffDomains, func(s string) bool {
			return strings.EqualFold(domain, strings.TrimPrefix(strings.TrimSpace(s), "@"))
		}) {
			return true, nil
		}
	}
	return d.member(ctx, user)
}

// ours reports whether u is a full member of the bot's own organisation.
func (d *directory) ours(u *slackgo.User) bool {
	w := &d.app.self
	w.mu.Lock()
	defer w.mu.Unlock()
	home := u.TeamID == w.team || w.grid != "" && u.Enterprise.EnterpriseID == w.grid
	return home && !u.IsStranger && !u.IsRestricted && !u.IsUltraRestricted && !u.IsBot && !u.Deleted
}

// member reports whether user is in one of the staff groups.
func (d *directory) member(ctx context.Context, user string) (bool, error) {
	if len(d.app.c.StaffGroups) == 0 {
		return false, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.members == nil || d.app.now().Sub(d.fetched) > groupTTL {
		m, err := d.fetch(ctx)
		if err != nil {
			return false, err
		}
		d.members, d.fetched = m, d.app.now()
	}
	return d.members[user], nil
}

func (d *directory) fetch(ctx context.Context) (map[string]bool, error) {
	groups, err := d.app.api.GetUserGroupsContext(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, g := range groups {
		named := func(s string) bool {
			s = strings.TrimPrefix(strings.TrimSpace(s), "@")
			return s == g.ID || strings.EqualFold(s, g.Handle)
		}
		if !slices.ContainsFunc(d.app.c.StaffGroups, named) {
			continue
		}
		users, err := d.app.api.GetUserGroupMembersContext(ctx, g.ID)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			out[u] = true
		}
	}
	return out, nil
}
