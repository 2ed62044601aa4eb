package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// examined runs the doctor and returns its exit code, what is well and what is
// not, by check.
func examined(t *testing.T, dir string, vars ...string) (code int, well, ill map[string]string) {
	t.Helper()
	p := start(t, dir, strings.NewReader(""), append(vars, "doctor", "--json")...)
	code = <-p.code
	var r struct {
		OK       bool
		Findings []finding
	}
	if err := json.Unmarshal([]byte(p.out.String()), &r); err != nil || r.OK != (code == 0) {
		t.Fatalf("%v: %s%s", err, p.out.String(), p.err.String())
	}
	well, ill = map[string]string{}, map[string]string{}
	for _, f := range r.Findings {
		if f.What == "" || f.OK != (f.Do == "") || strings.Contains(f.What+f.Do, "%!") {
			t.Errorf("finding %+v", f)
		}
		if f.OK {
			well[f.Check] += f.What + "\n"
		} else {
			ill[f.Check] += f.What + " → " + f.Do + "\n"
		}
	}
	return code, well, ill
}

func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	zhengda(t, dir, "kpi", "record", "gaoqi_total", "12100", "--as-of", "2024-09-30", "--source", "测试")
	zhengda(t, dir, "ask", "先投后股写在哪一条?")
	code, well, ill := examined(t, dir)
	if code != 0 || len(ill) > 0 || len(well) != 7 || !strings.Contains(well["embedder"], "512") || !strings.Contains(well["index"], "29 条") {
		t.Errorf("exit code %d, well %v, ill %v", code, well, ill)
	}
	if said := zhengda(t, dir, "doctor"); strings.Count(said, "✓") != 7 || strings.Contains(said, "✗") {
		t.Errorf("said %s", said)
	}

	snapshot := filepath.Join(dir, "index.snapshot")
	b, err := os.ReadFile(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2]++
	write := func(name string, b []byte) {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(snapshot, b)
	if code, _, ill := examined(t, dir); code != 1 || len(ill) != 1 || !strings.Contains(ill["index"], "损坏") {
		t.Errorf("damaged index: exit code %d, %v", code, ill)
	}
	os.Remove(snapshot)
	if code, _, ill := examined(t, dir); code != 1 || len(ill) != 1 || !strings.Contains(ill["index"], "没有索引") {
		t.Errorf("no index: exit code %d, %v", code, ill)
	}
	zhengda(t, dir, "ask", "先投后股写在哪一条?")
	if code, _, ill := examined(t, dir, "ZHENGDA_EMBED_BASE_URL=http://127.0.0.1:1/v1", "ZHENGDA_EMBED_MODEL=x", "ZHENGDA_LLM_BASE_URL=http://127.0.0.1:1/v1"); code != 1 ||
		!strings.Contains(ill["embedder"], "ZHENGDA_EMBED_BASE_URL") || !strings.Contains(ill["model"], "ZHENGDA_LLM_MODEL") {
		t.Errorf("services: exit code %d, %v", code, ill)
	}

	p := start(t, dir, strings.NewReader(""), "version") // for an app with its surroundings
	<-p.code
	past := *p.app
	past.now = func() time.Time { return time.Now().Add(-48 * time.Hour) }
	if code := past.run(t.Context(), []string{"doctor"}); code != 1 || !strings.Contains(p.out.String(), "时钟是") {
		t.Errorf("clock: exit code %d: %s", code, p.out.String())
	}

	database := filepath.Join(dir, "zhengda.db")
	if b, err = os.ReadFile(database); err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < min(len(b), 64<<10); i++ {
		b[i] = 0xff
	}
	write(database, b)
	if code, _, ill := examined(t, dir); code != 1 || !strings.Contains(ill["database"], "备份") {
		t.Errorf("damaged database: exit code %d, %v", code, ill)
	}
	write(database, []byte("no database at all, whatever its name may say, and long enough to be read as one of them"))
	if code, _, ill := examined(t, dir); code != 1 || !strings.Contains(ill["database"], "备份") {
		t.Errorf("another file: exit code %d, %v", code, ill)
	}
}

func TestDoctorFolder(t *testing.T) {
	dir := t.TempDir()
	if code, _, ill := examined(t, filepath.Join(dir, "none")); code != 1 || !strings.Contains(ill["folder"], "不存在") {
		t.Errorf("no folder: exit code %d, %v", code, ill)
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("the doctor made the folder")
	}
	if code, _, ill := examined(t, dir); code != 1 || !strings.Contains(ill["database"], "没有数据库") {
		t.Errorf("empty folder: exit code %d, %v", code, ill)
	}
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, ill := examined(t, name); code != 1 || !strings.Contains(ill["folder"], "不是文件夹") {
		t.Errorf("a file: exit code %d, %v", code, ill)
	}
	if os.Getuid() == 0 {
		return // may write anywhere
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	if code, _, ill := examined(t, dir); code != 1 || !strings.Contains(ill["folder"], "不能写") {
		t.Errorf("read-only folder: exit code %d, %v", code, ill)
	}
}

func TestDoctorSlack(t *testing.T) {
	var token string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token && r.FormValue("token") != token {
			w.Write([]byte(`{"ok":false,"error":"invalid_auth"}`))
			return
		}
		w.Header().Set("X-OAuth-Scopes", "chat:write,commands")
		w.Header().Set("Date", time.Now().Add(-10*time.Minute).UTC().Format(http.TimeFormat))
		w.Write([]byte(`{"ok":true,"team":"测试","user":"zhengda","url":"wss://x.example/"}`))
	}))
	defer api.Close()
	dir := t.TempDir()
	at := "SLACK_API_URL=" + api.URL + "/"
	secret := "SLACK_SIGNING_SECRET=0123456789abcdef0123456789abcdef"
	if _, _, ill := examined(t, dir, "SLACK_APP_TOKEN=xapp-1", at); !strings.Contains(ill["slack"], "SLACK_BOT_TOKEN") {
		t.Errorf("no bot token: %v", ill)
	}
	if _, _, ill := examined(t, dir, "SLACK_BOT_TOKEN=xoxb-1", at); !strings.Contains(ill["slack"], "SLACK_SIGNING_SECRET") {
		t.Errorf("no way in: %v", ill)
	}
	if code, _, ill := examined(t, dir, "SLACK_BOT_TOKEN=xoxb-secret", secret, at); code != 1 || !strings.Contains(ill["slack"], "invalid_auth") || strings.Contains(ill["slack"], "secret") {
		t.Errorf("bad token: exit code %d, %v", code, ill)
	}
	token = "xoxb-1"
	_, well, ill := examined(t, dir, "SLACK_BOT_TOKEN=xoxb-1", secret, at)
	for _, want := range []string{"reactions:write", "NTP"} {
		if !strings.Contains(ill["slack"], want) {
			t.Errorf("findings lack %s: %v", want, ill)
		}
	}
	if !strings.Contains(well["slack"], "测试") {
		t.Errorf("well: %v", well)
	}
}
