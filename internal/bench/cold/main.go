// Cold measures whole processes that answer one question, beside the time that
// gse needs to load its own embedded dictionary, which this program does
// without. Times of one run compare with each other only.
//
//	cd internal/bench && go run ./cold PATH-OF-ZHENGDA
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-ego/gse"
)

const (
	runs     = 21
	question = "先投后股有哪些支持?"
	asGSE    = "load-gse" // the argument with which the program runs itself
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: cold PATH-OF-ZHENGDA")
	}
	if os.Args[1] == asGSE {
		start := time.Now()
		var s gse.Segmenter
		s.SkipLog = true
		if err := s.LoadDictEmbed(); err != nil {
			log.Fatal(err)
		}
		fmt.Println(time.Since(start).Microseconds())
		return
	}
	if err := measure(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// measure runs both in turn and prints a table.
func measure(zhengda string) error {
	info, err := os.Stat(zhengda)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cold")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	first, err := run(zhengda, "ask", "--data", dir, question)
	if err != nil {
		return err
	}
	var asks, loads []time.Duration
	var peak, gsePeak int64
	for range runs {
		a, err := run(zhengda, "ask", "--data", dir, question)
		if err != nil {
			return err
		}
		g, err := run(self, asGSE)
		if err != nil {
			return err
		}
		us, err := strconv.Atoi(strings.TrimSpace(g.out))
		if err != nil {
			return err
		}
		asks, loads = append(asks, a.took), append(loads, time.Duration(us)*time.Microsecond)
		peak, gsePeak = max(peak, a.peak), max(gsePeak, g.peak)
	}
	ask, load := median(asks), median(loads)
	fmt.Printf("| what | figure |\n| --- | --- |\n")
	fmt.Printf("| binary | %.1f MB |\n", float64(info.Size())/1e6)
	fmt.Printf("| first ask, empty folder | %d ms |\n", first.took.Milliseconds())
	fmt.Printf("| cold ask, whole process, median of %d | %.0f ms |\n", runs, ms(ask))
	fmt.Printf("| its peak memory | %.0f MB |\n", float64(peak)/1024)
	fmt.Printf("| gse LoadDictEmbed, same run, median of %d | %.0f ms |\n", runs, ms(load))
	fmt.Printf("| its peak memory | %.0f MB |\n", float64(gsePeak)/1024)
	fmt.Printf("| cold ask / gse load | %.3f |\n", float64(ask)/float64(load))
	return nil
}

// process is what a finished process took.
type process struct {
	out  string
	took time.Duration
	peak int64 // resident, in KiB
}

func run(name string, args ...string) (process, error) {
	c := exec.Command(name, args...)
	c.Stderr = os.Stderr
	start := time.Now()
	out, err := c.Output()
	p := process{string(out), time.Since(start), 0}
	if err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		p.peak = u.Maxrss
	}
	return p, nil
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
