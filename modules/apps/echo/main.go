// Command echo is the lab's sample app and, with the same binary, the probe client inside the cluster.
//
//	echo [serve]                         the server: who answered, and how the request reached it
//	echo get [flags] URL...              asks each URL, one JSON line a response; exit 1 when one failed
//	echo lookup [--timeout D] NAME       asks DNS; exit 1 when there is no answer
//	echo version
package main

import (
	"fmt"
	"io"
	"os"
)

// Exit statuses, the same for every subcommand.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "dev"

const usage = `usage: echo [serve]
       echo get [--count N] [--interval D] [--timeout D] [--host HOST] [--fail-fast] URL...
       echo lookup [--timeout D] NAME
       echo version
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	command := "serve"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "serve":
		return serveCommand(args, stdout, stderr)
	case "get":
		return getCommand(args, stdout, stderr)
	case "lookup":
		return lookupCommand(args, stdout, stderr)
	case "version":
		fmt.Fprintln(stdout, version)
		return exitOK
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	fmt.Fprintf(stderr, "echo: unknown command %q\n%s", command, usage)
	return exitUsage
}
