package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const (
	defaultPort = "8080"
	// defaultDrain covers the time from SIGTERM until every node has taken the pod's address out of its rules, on a busy
	// machine too: requests that still come in between are answered. After 30 s Kubernetes kills.
	defaultDrain = 8 * time.Second
	// finish is how long requests under way may take after the drain.
	finish = 10 * time.Second
)

// settings of the server, from the environment: PORT, DRAIN_SECONDS, LOG_LEVEL.
type settings struct {
	port  string
	drain time.Duration
	level slog.Level
}

func readSettings(getenv func(string) string) (settings, error) {
	s := settings{port: defaultPort, drain: defaultDrain, level: slog.LevelInfo}
	if text := getenv("PORT"); text != "" {
		if _, err := strconv.ParseUint(text, 10, 16); err != nil {
			return s, fmt.Errorf("PORT=%q is not a port", text)
		}
		s.port = text
	}
	if text := getenv("DRAIN_SECONDS"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || !(seconds >= 0 && seconds <= 3600) {
			return s, fmt.Errorf("DRAIN_SECONDS=%q is not a number of seconds from 0 to 3600", text)
		}
		s.drain = time.Duration(seconds * float64(time.Second))
	}
	if text := getenv("LOG_LEVEL"); text != "" {
		if err := s.level.UnmarshalText([]byte(text)); err != nil {
			return s, fmt.Errorf("LOG_LEVEL=%q is not debug, info, warn or error", text)
		}
	}
	return s, nil
}

func serveCommand(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		fmt.Fprintf(stderr, "echo serve: takes no arguments\n%s", usage)
		return exitUsage
	}
	set, err := readSettings(os.Getenv)
	if err != nil {
		fmt.Fprintln(stderr, "echo serve:", err)
		return exitUsage
	}
	log := slog.New(slog.NewJSONHandler(stdout, &slog.HandlerOptions{Level: set.level}))
	a := &app{me: readIdentity(os.Getenv), log: log, now: time.Now}
	stop, forget := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer forget()
	listener, err := net.Listen("tcp", net.JoinHostPort("", set.port))
	if err != nil {
		log.Error("cannot listen", "error", err.Error())
		return exitFailed
	}
	if err := serve(stop, a, listener, set.drain); err != nil {
		log.Error("server ended", "error", err.Error())
		return exitFailed
	}
	return exitOK
}

// serve answers until stop is done, then: not ready, go on answering for drain, finish what is under way, end.
func serve(stop context.Context, a *app, listener net.Listener, drain time.Duration) error {
	server := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	a.log.Info("listening", "address", listener.Addr().String(), "pod", a.me.Pod, "node", a.me.Node, "version", a.me.Version)

	select {
	case err := <-ended:
		return err
	case <-stop.Done():
	}
	a.draining.Store(true)
	a.log.Info("draining", "seconds", drain.Seconds())
	select {
	case err := <-ended:
		return err
	case <-time.After(drain):
	}
	limit, cancel := context.WithTimeout(context.Background(), finish)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		return err
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	a.log.Info("stopped")
	return nil
}
