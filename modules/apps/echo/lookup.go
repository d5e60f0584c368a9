package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"time"
)

func lookupCommand(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("echo lookup", flag.ContinueOnError)
	flags.SetOutput(stderr)
	timeout := flags.Duration("timeout", 5*time.Second, "time limit")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if flags.NArg() != 1 || *timeout <= 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, flags.Arg(0))
	if err != nil {
		fmt.Fprintln(stderr, "echo lookup:", err)
		return exitFailed
	}
	for _, address := range addresses {
		fmt.Fprintln(stdout, address)
	}
	return exitOK
}
