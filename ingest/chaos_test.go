package ingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zhengda/rag"
)

// chaosEnv makes the test binary the process that is killed: its value is
// the data folder and the folder to ingest. With longEnv set the tests of
// this file run in full: minutes instead of seconds.
const (
	chaosEnv = "ZHENGDA_TEST_CHAOS"
	longEnv  = "ZHENGDA_TEST_LONG"
)

// times is n, or in a full run full.
func times(n, full int) int {
	if os.Getenv(longEnv) != "" {
		return full
	}
	return n
}

func TestMain(m *testing.M) {
	if dirs := os.Getenv(chaosEnv); dirs != "" {
		data, in, _ := strings.Cut(dirs, string(os.PathListSeparator))
		l, err := Open(data, Options{Who: "child"})
		if err == nil {
			_, err = l.Ingest(context.Background(), []string{in}, IngestOptions{})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// roundDocs is how many documents change together in a round.
const roundDocs = 6

// writeRound writes the documents of a round: each says the round's number.
func writeRound(t testing.TB, dir string, round int) {
	t.Helper()
	for i := range roundDocs {
		var b strings.Builder
		fmt.Fprintf(&b, "测试市第%d号管理办法\n\n", i+1)
		for k := range 40 {
			fmt.Fprintf(&b, "第%d条 第%d轮的规定，文件%d，本条适用于本市行政区域内的科技型中小企业、科研院所和高等学校。\n\n", k+1, round, i+1)
		}
		write(t, dir, fmt.Sprintf("%d.txt", i+1), b.String())
	}
}

// roundOf is the round that all documents belong to; an error says how they
// do not.
func roundOf(docs []rag.Document) (int, error) {
	if len(docs) != roundDocs {
		return 0, fmt.Errorf("%d documents", len(docs))
	}
	round := -1
	for _, d := range docs {
		if len(d.Clauses) != 40 {
			return 0, fmt.Errorf("%s has %d clauses", d.Title, len(d.Clauses))
		}
		for _, c := range d.Clauses {
			_, s, _ := strings.Cut(c.Text, "第")
			s, _, _ = strings.Cut(s, "轮")
			n, err := strconv.Atoi(s)
			if err != nil || round >= 0 && n != round {
				return 0, fmt.Errorf("%s says round %q among %d", c.ID, s, round)
			}
			round = n
		}
	}
	return round, nil
}

// Ingests are killed at random moments while readers read: every read is of
// one round, whole; rounds only go forward; every version is there afterwards.
func TestChaos(t *testing.T) {
	kills := times(15, 200)
	dir := t.TempDir()
	data, in := filepath.Join(dir, "data"), filepath.Join(dir, "in")
	l := open(t, data)
	writeRound(t, in, 0)
	ingestOK(t, l, IngestOptions{}, in)

	var reads, published atomic.Int64
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			last := 0
			for {
				select {
				case <-stop:
					return
				default:
				}
				docs, _, err := l.Active(context.Background())
				if err != nil {
					t.Errorf("read: %v", err)
					return
				}
				round, err := roundOf(docs)
				if err != nil || round < last {
					t.Errorf("torn read: round %d after %d: %v", round, last, err)
					return
				}
				if round > last {
					published.Add(1)
				}
				last = round
				reads.Add(1)
				time.Sleep(time.Millisecond)
			}
		})
	}
	span := childTime(t, dir)
	killed := 0
	for round := 1; killed < kills; round++ {
		writeRound(t, in, round)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), chaosEnv+"="+data+string(os.PathListSeparator)+in)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(rand.Int64N(int64(span))), func() { cmd.Process.Kill() })
		if err := cmd.Wait(); err != nil {
			killed++
		}
		timer.Stop()
	}
	writeRound(t, in, 1_000_000)
	if r := ingestOK(t, open(t, data), IngestOptions{}, in); r.Changed != roundDocs {
		t.Errorf("after the kills: %+v", r)
	}
	close(stop)
	readers.Wait()
	checkVersions(t, l)
	t.Logf("%d kills, %d reads, %d switches seen", killed, reads.Load(), published.Load())
}

// childTime is twice what a child takes that is left alone.
func childTime(t *testing.T, dir string) time.Duration {
	in := filepath.Join(dir, "timing")
	writeRound(t, in, 7)
	start := time.Now()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), chaosEnv+"="+filepath.Join(dir, "timingdata")+string(os.PathListSeparator)+in)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return time.Since(start) * 2
}

// checkVersions fails unless every published version is whole: its document,
// its original, its clauses, its number.
func checkVersions(t *testing.T, l *Library) {
	t.Helper()
	ctx := context.Background()
	var ok string
	if err := l.db.QueryRow(`PRAGMA integrity_check`).Scan(&ok); err != nil || ok != "ok" {
		t.Errorf("integrity: %s %v", ok, err)
	}
	all, err := l.Documents(ctx, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		h, err := l.History(ctx, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range h {
			s, err := l.Show(ctx, e.ID, strconv.Itoa(v.Number))
			if err != nil || documentHash(&s.Document) != v.Hash || len(s.Document.Clauses) != v.Clauses || len(s.Original) == 0 {
				t.Errorf("%s version %d is not whole: %v", e.ID, v.Number, err)
			}
		}
		if h[0].Number < len(h) {
			t.Errorf("%s: %d versions, newest is %d", e.ID, len(h), h[0].Number)
		}
	}
}

// Versions, 50 in a full run, are published under 8 readers: no read fails or is torn, and a
// new version is seen within a second.
func TestPublishUnderLoad(t *testing.T) {
	dir := t.TempDir()
	data, in := filepath.Join(dir, "data"), filepath.Join(dir, "in")
	l := open(t, data)
	writeRound(t, in, 0)
	ingestOK(t, l, IngestOptions{}, in)
	server := open(t, data) // as another process: a connection of its own
	var reads atomic.Int64
	var current atomic.Int64
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				least := int(current.Load())
				docs, _, err := server.Active(context.Background())
				if err == nil {
					var round int
					if round, err = roundOf(docs); err == nil && round < least {
						err = fmt.Errorf("round %d after %d was published", round, least)
					}
				}
				if err != nil {
					t.Errorf("read: %v", err)
					return
				}
				reads.Add(1)
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	var slowest time.Duration
	versions := times(10, 50)
	for round := 1; round <= versions; round++ {
		before, err := server.Generation(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		writeRound(t, in, round)
		ingestOK(t, l, IngestOptions{}, in)
		current.Store(int64(round))
		start := time.Now()
		for g := before; g == before; {
			if g, err = server.Generation(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		slowest = max(slowest, time.Since(start))
	}
	close(stop)
	readers.Wait()
	if slowest > time.Second {
		t.Errorf("a switch was seen after %v", slowest)
	}
	t.Logf("%d versions, %d reads, slowest switch seen after %v", versions, reads.Load(), slowest)
}
