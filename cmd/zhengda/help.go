package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usageText shows how a command is used.
func (a *app) usageText(c *cobra.Command) error {
	var b strings.Builder
	part := func(key, text string) {
		if text = strings.TrimRight(text, " \n"); text != "" {
			fmt.Fprintf(&b, "\n%s\n%s\n", a.say(key), text)
		}
	}
	var lines []string
	if c.Runnable() {
		lines = append(lines, "  "+c.UseLine())
	}
	var commands []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			commands = append(commands, fmt.Sprintf("  %-*s  %s", c.NamePadding(), sub.Name(), sub.Short))
		}
	}
	if len(commands) > 0 {
		lines = append(lines, "  "+c.CommandPath()+" "+a.say("help.command"))
	}
	part("help.usage", strings.Join(lines, "\n"))
	part("help.examples", c.Example)
	part("help.commands", strings.Join(commands, "\n"))
	part("help.flags", c.LocalFlags().FlagUsages())
	part("help.global", c.InheritedFlags().FlagUsages())
	_, err := fmt.Fprint(c.OutOrStdout(), strings.TrimPrefix(b.String(), "\n"))
	return err
}

// helpText shows what a command does and how it is used.
func (a *app) helpText(c *cobra.Command, _ []string) {
	text := c.Long
	if text == "" {
		text = c.Short
	}
	fmt.Fprintf(c.OutOrStdout(), "%s\n\n", text)
	a.usageText(c) // nothing can be done about an output that fails
}
