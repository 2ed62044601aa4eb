package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"zhengda/ingest/format"
	"zhengda/internal/zh"
	"zhengda/rag"
)

// MetaValues are what flags or a sidecar file FILE.yaml say of a document;
// empty fields leave what the text says. Dates are written 2024-03-01.
type MetaValues struct {
	Title      string `yaml:"title" json:"title,omitempty"`
	Number     string `yaml:"number" json:"number,omitempty"`
	Issuer     string `yaml:"issuer" json:"issuer,omitempty"`
	Year       int    `yaml:"year" json:"year,omitempty"`
	Issued     string `yaml:"issued" json:"issued,omitempty"`
	Effective  string `yaml:"effective" json:"effective,omitempty"`
	Repealed   string `yaml:"repealed" json:"repealed,omitempty"`
	Audience   string `yaml:"audience" json:"audience,omitempty"` // public or staff
	Supersedes string `yaml:"supersedes" json:"supersedes,omitempty"`
	URL        string `yaml:"url" json:"url,omitempty"`
}

// parseSidecar reads a sidecar file; an unknown field is an error.
func parseSidecar(b []byte) (m MetaValues, err error) {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&m); err != nil && !errors.Is(err, io.EOF) {
		return m, fmt.Errorf("元数据文件: %w", err)
	}
	return m, m.apply(new(rag.Meta))
}

// Check reports the first value that cannot be used.
func (m MetaValues) Check() error { return m.apply(new(rag.Meta)) }

// apply puts the values over those of meta.
func (m MetaValues) apply(meta *rag.Meta) error {
	for _, s := range []struct {
		to   *string
		from string
	}{{&meta.Number, m.Number}, {&meta.Issuer, m.Issuer}, {&meta.Supersedes, m.Supersedes}, {&meta.URL, m.URL}, {&meta.Audience, m.Audience}} {
		if s.from != "" {
			*s.to = s.from
		}
	}
	if m.Year != 0 {
		meta.Year = m.Year
	}
	switch m.Audience {
	case "", "public", "staff":
	default:
		return fmt.Errorf("audience: %q 不是 public 或 staff", m.Audience)
	}
	for _, d := range []struct {
		name, from string
		to         *time.Time
	}{{"issued", m.Issued, &meta.Issued}, {"effective", m.Effective, &meta.Effective}, {"repealed", m.Repealed, &meta.Repealed}} {
		if d.from == "" {
			continue
		}
		t, err := time.Parse(time.DateOnly, d.from)
		if err != nil {
			return fmt.Errorf("%s: %q 不是 2024-03-01 这样的日期", d.name, d.from)
		}
		*d.to = t
	}
	return nil
}

const (
	datePattern = `((?:19|20)[0-9]{2})\s*年\s*([0-9]{1,2})\s*月\s*([0-9]{1,2})\s*日`
	hanDay      = `([一二][〇零○Ｏ0一二三四五六七八九]{3})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日`
	numberBody  = `[\p{Han}]{1,14}\s*[〔\[［(（【]\s*(?:19|20)[0-9]{2}\s*年?\s*[〕\]］)）】]\s*第?\s*[0-9]{1,5}\s*号`
)

var (
	reDate     = regexp.MustCompile(datePattern + `|` + hanDay)
	reNumLine  = regexp.MustCompile(`^\s*(?:(?:发文字号|文\s*号|发布文号|文件编号)\s*[:：]?\s*)?(` + numberBody + `)\s*$`)
	reNumLabel = regexp.MustCompile(`(?:发文字号|文\s*号|发布文号)[\s:：]*(` + numberBody + `)`)
	reIssuer   = regexp.MustCompile(`(?:发文机关|发布机构|发布机关|制定机关|发文单位|发布单位)[\s:：]*([\p{Han}、]{2,40})`)
	reIssued   = regexp.MustCompile(`(?:成文日期|发布日期|发文日期|印发日期|公布日期|签发日期)[\s:：]*(` + datePattern + `|(?:19|20)[0-9]{2}-[0-9]{1,2}-[0-9]{1,2})`)
	reEnact    = regexp.MustCompile(`(?:` + datePattern + `)[^。；\n]{0,60}?(?:通过|公布|发布|修订|修正|印发)`)
	reEffect   = regexp.MustCompile(`自\s*(` + datePattern + `)\s*起?\s*(?:正式)?\s*(?:施行|实施|执行|生效|试行)`)
	reAtOnce   = regexp.MustCompile(`自\s*(?:发布|公布|印发|颁布|下发)\s*之日起\s*(?:施行|实施|执行|生效|试行)`)
	reUntil    = regexp.MustCompile(`有效期\s*(?:限\s*)?(?:至|截至|到|截止到)\s*(` + datePattern + `)`)
	reYears    = regexp.MustCompile(`(?:施行|实施|执行|生效|试行)[^。\n]{0,12}?有效期\s*(?:为|限为)?\s*([0-9一二三四五六七八九十]{1,2})\s*年`)
	reReplaces = regexp.MustCompile(`《([^《》\n]{4,80})》[^。《》\n]{0,60}?(?:同时|同日|即行|相应)\s*(?:废止|失效|停止执行)`)
	reTitleOrg = regexp.MustCompile(`^([\p{Han}、 　]{0,40}?(?:人民政府办公厅|人民政府|国务院办公厅|国务院|办公厅|办公室|委员会|[局厅部委院]))\s*(?:关于|印发|[0-9]{4}年)`)
	reCongress = regexp.MustCompile(`([\p{Han}]{0,12})第[\p{Han}]{1,5}届((?:全国)?人民代表大会(?:常务委员会)?)第[\p{Han}]{1,12}?次会议(批准)?`)
	reDecree   = regexp.MustCompile(`([\p{Han}]{2,20})令\s*第?\s*[0-9]{1,4}\s*号`)
	reSigned   = regexp.MustCompile(`^[\p{Han}、 　]{2,40}(?:政府|办公厅|办公室|委员会|[局厅部委院])$`)
	reISO      = regexp.MustCompile(`((?:19|20)[0-9]{2})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})`)
	reFileDate = regexp.MustCompile(`((?:19|20)[0-9]{2})-([0-9]{2})-([0-9]{2})`)
)

// Runes of the head and the foot of a text in which it speaks of itself.
const (
	headRunes = 1800
	footRunes = 1500
)

// describeDocument finds what the text says of itself.
func describeDocument(d *rag.Document, text format.Text, file string) rag.Meta {
	m := rag.Meta{Audience: "public", Source: file, Issuer: text.Issuer, Number: text.Number, URL: text.URL}
	head, foot := ends(text.Body)
	if m.Number == "" {
		m.Number = squeezeNumber(findNumber(head))
	}
	if m.Issuer == "" {
		m.Issuer = findIssuer(d.Title, head, foot)
	}
	m.Issued = findIssued(text, head, foot, file)
	m.Effective, m.Repealed = findForce(head+"\n"+foot, m.Issued)
	if s := reReplaces.FindStringSubmatch(foot); s != nil {
		m.Supersedes = strings.TrimSpace(s[1])
	}
	if y := titleYear.FindStringSubmatch(d.Title); y != nil {
		m.Year, _ = strconv.Atoi(y[1])
	}
	return m
}

func ends(s string) (head, foot string) {
	r := []rune(s)
	return string(r[:min(len(r), headRunes)]), string(r[max(0, len(r)-footRunes):])
}

func findNumber(head string) string {
	if m := reNumLabel.FindStringSubmatch(head); m != nil {
		return m[1]
	}
	for i, line := range strings.Split(head, "\n") {
		if i > 40 {
			break
		}
		if !strings.Contains(line, "号") {
			continue
		}
		if m := reNumLine.FindStringSubmatch(line); m != nil {
			return m[1]
		}
	}
	return ""
}

func squeezeNumber(s string) string {
	return strings.NewReplacer("[", "〔", "］", "〕", "［", "〔", "]", "〕", "(", "〔", ")", "〕", "（", "〔", "）", "〕", "【", "〔", "】", "〕", " ", "", "　", "").Replace(s)
}

func findIssuer(title, head, foot string) string {
	if m := reTitleOrg.FindStringSubmatch(title); m != nil {
		return squeezeHan(m[1])
	}
	for _, part := range []string{head, foot} {
		if s := signature(part); s != "" {
			return s
		}
	}
	congress := ""
	for _, m := range reCongress.FindAllStringSubmatch(front(head), -1) {
		if m[3] == "" || congress == "" { // the one that approves is another's
			congress = afterDay(m[1]) + m[2]
		}
	}
	if congress != "" {
		return congress
	}
	if m := reDecree.FindStringSubmatch(front(head)); m != nil {
		return afterDay(m[1])
	}
	if m := reIssuer.FindStringSubmatch(head); m != nil {
		return strings.Trim(m[1], "、")
	}
	return ""
}

// signature is the office whose name stands on a line of its own above a line
// that holds only a date.
func signature(s string) string {
	last := ""
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if onlyDate(line) && reSigned.MatchString(last) {
			return strings.Join(strings.Fields(last), "、")
		}
		last = line
	}
	return ""
}

// onlyDate reports whether a line holds a day and hardly anything else.
func onlyDate(line string) bool {
	n := utf8.RuneCountInString(line)
	return n <= 20 && strings.Contains(line, "日") && n <= utf8.RuneCountInString(reDate.FindString(line))+2
}

// afterDay cuts the day that stands right before a name.
func afterDay(s string) string {
	for _, cut := range []string{"日", "由", "经"} {
		if i := strings.LastIndex(s, cut); i >= 0 {
			s = s[i+len(cut):]
		}
	}
	return s
}

// squeezeHan takes out the spaces between Chinese characters, which some
// copies set wide.
func squeezeHan(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	var out []rune
	for i, c := range r {
		if c == ' ' && i > 0 && i+1 < len(r) && zh.IsHan(r[i-1]) && zh.IsHan(r[i+1]) {
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

// findIssued is the date of issue: the one labelled so, the latest in the
// history below the title, the one below the signature, the file's name.
func findIssued(text format.Text, head, foot, file string) time.Time {
	if t := parseDate(text.Published); !t.IsZero() {
		return t
	}
	if m := reIssued.FindStringSubmatch(head); m != nil {
		if t := parseDate(m[1]); !t.IsZero() {
			return t
		}
	}
	var last time.Time
	for _, s := range reEnact.FindAllString(front(head), -1) {
		if t := parseDate(s); t.After(last) {
			last = t
		}
	}
	if !last.IsZero() {
		return last
	}
	for _, part := range []string{head, foot} {
		for line := range strings.Lines(part) {
			if line = strings.TrimSpace(line); len([]rune(line)) <= 16 && reDate.MatchString(line) {
				return parseDate(line)
			}
		}
	}
	if m := reFileDate.FindString(filepath.Base(file)); m != "" {
		return parseDate(m)
	}
	return time.Time{}
}

// front is the part of the head before the first article: what stands in a
// clause is not the document's own history.
func front(head string) string {
	for _, cut := range []string{"\n第一条", "\n第一章", "\n一、"} {
		if i := strings.Index(head, cut); i > 0 {
			head = head[:i]
		}
	}
	return head
}

func findForce(s string, issued time.Time) (from, until time.Time) {
	if m := reEffect.FindAllStringSubmatch(s, -1); m != nil {
		from = parseDate(m[len(m)-1][1])
	} else if reAtOnce.MatchString(s) {
		from = issued
	}
	if m := reUntil.FindStringSubmatch(s); m != nil {
		until = parseDate(m[1]).AddDate(0, 0, 1)
	} else if m := reYears.FindStringSubmatch(s); m != nil && !from.IsZero() {
		if n, ok := zh.Numeral(m[1]); ok {
			until = from.AddDate(n, 0, 0)
		}
	}
	return from, until
}

// parseDate reads the first date of s; the zero time when there is none that
// the calendar knows.
func parseDate(s string) time.Time {
	if m := reDate.FindStringSubmatch(s); m != nil {
		y, mo, d := m[1], m[2], m[3]
		if y == "" {
			y, mo, d = m[4], m[5], m[6]
		}
		return date(y, mo, d)
	}
	if m := reISO.FindStringSubmatch(s); m != nil {
		return date(m[1], m[2], m[3])
	}
	return time.Time{}
}

func date(y, m, d string) time.Time {
	year, ok1 := zh.Numeral(y)
	month, ok2 := zh.Numeral(m)
	day, ok3 := zh.Numeral(d)
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if !ok1 || !ok2 || !ok3 || t.Day() != day || int(t.Month()) != month {
		return time.Time{}
	}
	return t
}
