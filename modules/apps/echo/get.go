package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxBody is how much of a response is read and printed.
const maxBody = 64 << 10

// response is one line of `echo get`. Body is the answer itself when it is JSON, else a JSON string.
type response struct {
	OK      bool            `json:"ok"`
	Status  int             `json:"status"`
	Seconds float64         `json:"seconds"`
	URL     string          `json:"url"`
	Body    json.RawMessage `json:"body,omitempty"`
	Error   string          `json:"error,omitempty"`
}

func getCommand(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("echo get", flag.ContinueOnError)
	flags.SetOutput(stderr)
	count := flags.Int("count", 1, "how many requests, one after the other")
	interval := flags.Duration("interval", 0, "pause between requests")
	timeout := flags.Duration("timeout", 5*time.Second, "time limit of one request")
	failFast := flags.Bool("fail-fast", false, "end at the first request that fails")
	host := flags.String("host", "", "Host header, for an ingress")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if flags.NArg() < 1 || *count < 1 || *timeout <= 0 || *interval < 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	for _, text := range flags.Args() {
		target, err := url.Parse(text)
		if err != nil || (target.Scheme != "http" && target.Scheme != "https") || target.Host == "" {
			fmt.Fprintf(stderr, "echo get: %q is not a http or https URL\n", text)
			return exitUsage
		}
	}
	status := exitOK
	lines := json.NewEncoder(stdout)
	lines.SetEscapeHTML(false)
	for i := range *count {
		for k, target := range flags.Args() {
			if i+k > 0 && *interval > 0 {
				time.Sleep(*interval)
			}
			one := get(target, *host, *timeout)
			if !one.OK {
				status = exitFailed
			}
			if err := lines.Encode(one); err != nil {
				fmt.Fprintln(stderr, "echo get:", err)
				return exitFailed
			}
			if *failFast && !one.OK {
				return exitFailed
			}
		}
	}
	return status
}

// get asks once, on a connection of its own: a kept one would always reach the same pod.
func get(target, host string, timeout time.Duration) (one response) {
	one.URL = target
	started := time.Now()
	defer func() { one.Seconds = time.Since(started).Seconds() }()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		one.Error = err.Error()
		return one
	}
	if host != "" {
		request.Host = host
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(request)
	if err != nil {
		one.Error = err.Error()
		return one
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	one.Status = answer.StatusCode
	if err != nil {
		one.Error = err.Error()
		return one
	}
	one.OK = answer.StatusCode < http.StatusBadRequest
	one.Body = asJSON(body)
	return one
}

func asJSON(body []byte) json.RawMessage {
	if len(body) == 0 {
		return nil
	}
	if json.Valid(body) {
		return body
	}
	var text bytes.Buffer
	plain := json.NewEncoder(&text)
	plain.SetEscapeHTML(false)
	if err := plain.Encode(string(body)); err != nil {
		return nil
	}
	return text.Bytes()
}
