package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"zhengda/bot"
	"zhengda/bot/kpi"
	"zhengda/rag/embed"
)

// folder is the data folder: --data, ZHENGDA_DATA, or the user's own.
func (a *app) folder() string {
	for _, dir := range []string{a.data, a.getenv("ZHENGDA_DATA")} {
		if dir != "" {
			return dir
		}
	}
	if dir := a.getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "zhengda")
	}
	if dir := a.getenv("LocalAppData"); dir != "" {
		return filepath.Join(dir, "zhengda")
	}
	if home := a.getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "share", "zhengda")
	}
	return "zhengda-data"
}

// secret is the value of a variable, or the content of the file that the
// variable NAME_FILE names, without white space around it, and whether one of
// them is set.
func (a *app) secret(name string) (string, bool, error) {
	v := strings.TrimSpace(a.getenv(name))
	if file := a.getenv(name + "_FILE"); v == "" && file != "" {
		name += "_FILE"
		b, err := os.ReadFile(file)
		if err != nil {
			return "", false, usage("err.secret_file", name, err)
		}
		v = strings.TrimSpace(string(b))
	} else if v == "" {
		return "", false, nil
	}
	if strings.ContainsFunc(v, unicode.IsControl) {
		return "", false, usage("err.secret", name)
	}
	return v, true, nil
}

// timeout is the time limit of one answer.
func (a *app) timeout() (time.Duration, error) {
	v := a.getenv("ZHENGDA_TIMEOUT")
	if v == "" {
		return 30 * time.Second, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		return 0, usage("err.duration", "ZHENGDA_TIMEOUT", v)
	}
	return d, nil
}

// service is the embedding service that the variables name; BaseURL is empty
// when they name none.
func (a *app) service() (embed.ServiceConfig, error) {
	c := embed.ServiceConfig{BaseURL: a.getenv("ZHENGDA_EMBED_BASE_URL"), Model: a.getenv("ZHENGDA_EMBED_MODEL"),
		QueryType: a.getenv("ZHENGDA_EMBED_QUERY_TYPE"), PassageType: a.getenv("ZHENGDA_EMBED_PASSAGE_TYPE"), Now: a.now}
	if c.BaseURL == "" {
		return c, nil
	}
	if c.Model == "" {
		return c, usage("err.unset", "ZHENGDA_EMBED_MODEL", "ZHENGDA_EMBED_BASE_URL")
	}
	var err error
	if c.Dim, err = a.count("ZHENGDA_EMBED_DIM"); err != nil {
		return c, err
	}
	c.Key, _, err = a.secret("ZHENGDA_EMBED_API_KEY")
	return c, err
}

// model is the chat service that the variables name, nil when they name none.
// Files in the folder prompts of the data folder, or of the user's own where that
// is a temporary one, replace its prompts.
func (a *app) model(dir string) (*bot.Model, error) {
	prompts := filepath.Join(cmp.Or(a.own, dir), "prompts")
	c := bot.ModelConfig{BaseURL: a.getenv("ZHENGDA_LLM_BASE_URL"), Name: a.getenv("ZHENGDA_LLM_MODEL"),
		Prompts: os.DirFS(prompts), Logger: slog.New(slog.NewTextHandler(a.err, nil)), Now: a.now}
	if c.BaseURL == "" {
		return nil, nil
	}
	if c.Name == "" {
		return nil, usage("err.unset", "ZHENGDA_LLM_MODEL", "ZHENGDA_LLM_BASE_URL")
	}
	limit, err := a.timeout()
	if err != nil {
		return nil, err
	}
	c.Timeout = limit * 2 / 3 // the rest is for the built-in answer and its verification
	if c.Key, _, err = a.secret("ZHENGDA_LLM_API_KEY"); err != nil {
		return nil, err
	}
	for name, n := range map[string]*int{"ZHENGDA_LLM_POOL": &c.Pool, "ZHENGDA_LLM_MAX_TOKENS": &c.Reply} {
		if *n, err = a.count(name); err != nil {
			return nil, err
		}
	}
	for name, price := range map[string]*float64{"ZHENGDA_LLM_PRICE_IN": &c.PriceIn, "ZHENGDA_LLM_PRICE_OUT": &c.PriceOut} {
		if *price, err = a.price(name); err != nil {
			return nil, err
		}
	}
	m, err := bot.NewModel(c)
	switch {
	case errors.Is(err, bot.ErrPrompts):
		return nil, usage("err.config", prompts, err.Error())
	case err != nil:
		return nil, usage("err.config", "ZHENGDA_LLM_BASE_URL", err.Error())
	}
	return m, nil
}

// count is a positive whole number; 0 where the variable is not set.
func (a *app) count(name string) (int, error) {
	v := a.getenv(name)
	if v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n <= 0 {
		return 0, usage("err.number", name, v)
	}
	return n, nil
}

// price is an amount of money for a million tokens; 0 where the variable is
// not set.
func (a *app) price(name string) (float64, error) {
	v := a.getenv(name)
	if v == "" {
		return 0, nil
	}
	p, err := strconv.ParseFloat(v, 64)
	if err != nil || !(p >= 0 && p < math.MaxInt32) {
		return 0, usage("err.price", name, v)
	}
	return p, nil
}

// who is named in audit lines and records.
func (a *app) who() string {
	for _, name := range []string{"USER", "LOGNAME", "USERNAME"} {
		if v := a.getenv(name); v != "" {
			return v
		}
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// persona checks the name of a persona; "" is the default one.
func persona(name string) (bot.Persona, error) {
	switch p := bot.Persona(name); p {
	case "":
		return bot.Enterprise, nil
	case bot.Enterprise, bot.Staff, bot.Admin, bot.Outsider:
		return p, nil
	}
	return "", usage("err.persona", name)
}

// date checks a day; "" is none.
func date(field, s string) (kpi.Date, error) {
	if s == "" {
		return "", nil
	}
	d, err := kpi.ParseDate(s)
	if err != nil {
		return "", usage("err.date", field, s)
	}
	return d, nil
}
