package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"zhengda/ingest"
	"zhengda/ingest/format"
)

func (a *app) parseCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "parse FILE",
		Short: a.say("cmd.parse"),
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := a.read(cmd, args[0])
			if err != nil {
				return usage("err.file", args[0], err)
			}
			p := ingest.Parse(text.Body)
			if asJSON {
				return a.json(p)
			}
			fmt.Fprint(a.out, p.Tree())
			for _, w := range text.Warnings {
				fmt.Fprintf(a.err, "! %s\n", w.Text)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	return c
}

// read reads a document; "-" is standard input.
func (a *app) read(cmd *cobra.Command, name string) (format.Text, error) {
	var b []byte
	var err error
	if name == "-" {
		b, err = io.ReadAll(a.in)
	} else {
		b, err = os.ReadFile(name)
	}
	if err != nil {
		return format.Text{}, err
	}
	o := format.Options{Decode: ingest.Decode}
	if p, err := exec.LookPath("pdftotext"); err == nil {
		o.PDFToText = p
	}
	return format.Read(cmd.Context(), name, b, o)
}
