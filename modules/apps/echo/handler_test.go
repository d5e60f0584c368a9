package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func testApp() *app {
	return &app{
		me:  identity{Pod: "kubia-0", Node: "worker-1", Namespace: "default", Version: "1.2.3"},
		log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
	}
}

func TestAnswerTellsWhoAnsweredAndWhatArrived(t *testing.T) {
	request := httptest.NewRequest(http.MethodGet, "http://kubia.example.com/some/path?q=1", nil)
	request.RemoteAddr = "10.200.1.1:4567"
	request.Header.Set("X-Forwarded-For", "10.9.9.9")
	recorder := httptest.NewRecorder()
	testApp().handler().ServeHTTP(recorder, request)

	if got := strings.Count(recorder.Body.String(), "\n"); got != 1 {
		t.Fatalf("want one line, got %q", recorder.Body.String())
	}
	var got answer
	if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := answer{
		Pod: "kubia-0", Node: "worker-1", Namespace: "default", Version: "1.2.3",
		Client: "10.200.1.1", Forwarded: "10.9.9.9", Host: "kubia.example.com",
		Method: "GET", Path: "/some/path", Time: "2026-01-02T03:04:05Z",
	}
	if got != want {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func TestProbes(t *testing.T) {
	for _, one := range []struct {
		path     string
		draining bool
		status   int
		close    bool
	}{
		{"/healthz", false, 200, false},
		{"/readyz", false, 200, false},
		{"/healthz", true, 200, true},
		{"/readyz", true, 503, true},
		{"/", true, 200, true},
	} {
		a := testApp()
		a.draining.Store(one.draining)
		recorder := httptest.NewRecorder()
		a.handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, one.path, nil))
		if recorder.Code != one.status {
			t.Errorf("%s draining=%v: status %d, want %d", one.path, one.draining, recorder.Code, one.status)
		}
		if got := recorder.Header().Get("Connection") == "close"; got != one.close {
			t.Errorf("%s draining=%v: Connection: close is %v, want %v", one.path, one.draining, got, one.close)
		}
	}
}

func TestLogHasStatusAndProbesAreQuiet(t *testing.T) {
	var text strings.Builder
	a := testApp()
	a.log = slog.New(slog.NewJSONHandler(&text, nil))
	a.handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if text.Len() != 0 {
		t.Fatalf("a probe was logged: %s", text.String())
	}
	a.handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil))
	var line map[string]any
	if err := json.Unmarshal([]byte(text.String()), &line); err != nil {
		t.Fatalf("not one JSON line: %v: %q", err, text.String())
	}
	if line["status"] != float64(200) || line["path"] != "/x" {
		t.Fatalf("got %v", line)
	}
}

func TestIdentity(t *testing.T) {
	env := map[string]string{"POD_NAME": "p", "NODE_NAME": "n", "POD_NAMESPACE": "s", "VERSION": "v"}
	if got := readIdentity(func(key string) string { return env[key] }); got != (identity{"p", "n", "s", "v"}) {
		t.Fatalf("got %+v", got)
	}
	if got := readIdentity(func(string) string { return "" }); got.Pod == "" || got.Version != version {
		t.Fatalf("without an environment: %+v", got)
	}
}
