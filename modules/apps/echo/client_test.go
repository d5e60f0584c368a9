package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func lines(t *testing.T, text string) []response {
	t.Helper()
	var all []response
	for line := range strings.Lines(text) {
		var one response
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		all = append(all, one)
	}
	return all
}

func TestGetPrintsOneLineAResponse(t *testing.T) {
	server := httptest.NewServer(testApp().handler())
	defer server.Close()
	var out, errs strings.Builder
	code := run([]string{"get", "--count", "3", "--host", "kubia.example.com", server.URL + "/a"}, &out, &errs)
	all := lines(t, out.String())
	if code != exitOK || len(all) != 3 {
		t.Fatalf("exit %d, %d lines: %s%s", code, len(all), out.String(), errs.String())
	}
	var body answer
	if err := json.Unmarshal(all[0].Body, &body); err != nil || body.Host != "kubia.example.com" || body.Path != "/a" {
		t.Fatalf("body %+v, %v", body, err)
	}
	if !all[0].OK || all[0].Status != 200 || all[0].Seconds <= 0 {
		t.Fatalf("got %+v", all[0])
	}
}

func TestGetAsksEachURL(t *testing.T) {
	server := httptest.NewServer(testApp().handler())
	defer server.Close()
	var out strings.Builder
	code := run([]string{"get", "--count", "2", server.URL + "/a", "http://127.0.0.1:1/", server.URL + "/b"}, &out, &out)
	all := lines(t, out.String())
	if code != exitFailed || len(all) != 6 || all[0].URL != server.URL+"/a" || all[1].OK || !all[5].OK {
		t.Fatalf("exit %d: %s", code, out.String())
	}
}

func TestGetFailFastEndsAtTheFirstFailure(t *testing.T) {
	server := httptest.NewServer(testApp().handler())
	defer server.Close()
	var out strings.Builder
	code := run([]string{"get", "--fail-fast", "--count", "9", server.URL, "http://127.0.0.1:1/"}, &out, &out)
	if all := lines(t, out.String()); code != exitFailed || len(all) != 2 {
		t.Fatalf("exit %d: %s", code, out.String())
	}
}

func TestGetOpensAConnectionForEachRequest(t *testing.T) {
	clients := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { clients[r.RemoteAddr] = true }))
	defer server.Close()
	var out strings.Builder
	if code := run([]string{"get", "--count", "4", server.URL}, &out, &out); code != exitOK || len(clients) != 4 {
		t.Fatalf("exit %d, connections %d, want 4: %s", code, len(clients), out.String())
	}
}

func TestGetFailures(t *testing.T) {
	slow := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-slow
		case "/text":
			_, _ = w.Write([]byte("plain <text>\n"))
		case "/gone":
			http.Error(w, "no", http.StatusNotFound)
		}
	}))
	defer server.Close()
	defer close(slow)
	for _, one := range []struct {
		args []string
		code int
		part string
	}{
		{[]string{"get", server.URL + "/text"}, exitOK, `"body":"plain <text>\n"}`},
		{[]string{"get", server.URL + "/gone"}, exitFailed, `"ok":false,"status":404`},
		{[]string{"get", "--timeout", "50ms", server.URL + "/slow"}, exitFailed, "deadline exceeded"},
		{[]string{"get", "http://127.0.0.1:1/"}, exitFailed, "refused"},
		{[]string{"get", "ftp://x/"}, exitUsage, "not a http"},
		{[]string{"get", "--count", "0", server.URL}, exitUsage, "usage"},
		{[]string{"get"}, exitUsage, "usage"},
		{[]string{"lookup"}, exitUsage, "usage"},
		{[]string{"lookup", "--timeout", "2s", "no-such-name.invalid"}, exitFailed, "no-such-name"},
		{[]string{"lookup", "127.0.0.1"}, exitOK, "127.0.0.1"},
		{[]string{"version"}, exitOK, version},
		{[]string{"dance"}, exitUsage, `unknown command "dance"`},
	} {
		var out strings.Builder
		started := time.Now()
		if code := run(one.args, &out, &out); code != one.code || !strings.Contains(out.String(), one.part) {
			t.Errorf("%v: exit %d (want %d), output %q (want %q in it)", one.args, code, one.code, out.String(), one.part)
		}
		if time.Since(started) > 4*time.Second {
			t.Errorf("%v took %s", one.args, time.Since(started))
		}
	}
}
