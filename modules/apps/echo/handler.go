package main

import (
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// answer is one line of JSON: who answered, and what the request looked like when it arrived.
type answer struct {
	Pod       string `json:"pod"`
	Node      string `json:"node"`
	Namespace string `json:"namespace"`
	Version   string `json:"version"`
	Client    string `json:"client"`
	Forwarded string `json:"forwarded,omitempty"`
	Host      string `json:"host"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Time      string `json:"time"`
}

// app is the server's state: who it is, and whether it is on its way out.
type app struct {
	me       identity
	log      *slog.Logger
	now      func() time.Time
	draining atomic.Bool
}

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", a.answer)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", a.ready)
	return a.logged(mux)
}

func (a *app) answer(w http.ResponseWriter, r *http.Request) {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	body, err := json.Marshal(answer{
		Pod: a.me.Pod, Node: a.me.Node, Namespace: a.me.Namespace, Version: a.me.Version,
		Client: client, Forwarded: r.Header.Get("X-Forwarded-For"), Host: r.Host,
		Method: r.Method, Path: r.URL.Path, Time: a.now().UTC().Format(time.RFC3339Nano),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // a client that went away is no concern of ours
}

func (a *app) ready(w http.ResponseWriter, _ *http.Request) {
	if a.draining.Load() {
		writeText(w, http.StatusServiceUnavailable, "draining\n")
		return
	}
	writeText(w, http.StatusOK, "ok\n")
}

// logged writes a line for each request; probes only at debug level, they come every few seconds.
func (a *app) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.draining.Load() {
			// Kept-alive connections move to another pod by themselves instead of being cut at the end.
			w.Header().Set("Connection", "close")
		}
		started := time.Now()
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		level := slog.LevelInfo
		if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
			level = slog.LevelDebug
		}
		a.log.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path, "host", r.Host,
			"client", r.RemoteAddr, "status", seen.status, "seconds", time.Since(started).Seconds())
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
