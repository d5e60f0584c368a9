package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	for _, one := range []struct {
		env  map[string]string
		want settings
		bad  bool
	}{
		{nil, settings{"8080", 8 * time.Second, slog.LevelInfo}, false},
		{map[string]string{"PORT": "80", "DRAIN_SECONDS": "0.5", "LOG_LEVEL": "debug"}, settings{"80", 500 * time.Millisecond, slog.LevelDebug}, false},
		{map[string]string{"DRAIN_SECONDS": "0"}, settings{"8080", 0, slog.LevelInfo}, false},
		{map[string]string{"PORT": "70000"}, settings{}, true},
		{map[string]string{"PORT": "http"}, settings{}, true},
		{map[string]string{"DRAIN_SECONDS": "-1"}, settings{}, true},
		{map[string]string{"DRAIN_SECONDS": "NaN"}, settings{}, true},
		{map[string]string{"LOG_LEVEL": "loud"}, settings{}, true},
	} {
		got, err := readSettings(func(key string) string { return one.env[key] })
		if (err != nil) != one.bad {
			t.Errorf("%v: error %v", one.env, err)
		} else if err == nil && got != one.want {
			t.Errorf("%v: got %+v, want %+v", one.env, got, one.want)
		}
	}
}

// What a rolling update relies on: after the stop signal the pod is not ready, still answers, then ends without an error.
func TestStopDrainsThenEnds(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := testApp()
	stop, signal := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(stop, a, listener, 500*time.Millisecond) }()
	base := "http://" + listener.Addr().String()

	if one := get(base+"/readyz", "", time.Second); one.Status != http.StatusOK {
		t.Fatalf("before the signal: %+v", one)
	}
	signal()
	deadline := time.Now().Add(400 * time.Millisecond)
	for get(base+"/readyz", "", time.Second).Status != http.StatusServiceUnavailable {
		if time.Now().After(deadline) {
			t.Fatal("still ready after the signal")
		}
	}
	if one := get(base+"/", "", time.Second); one.Status != http.StatusOK {
		t.Fatalf("while draining: %+v", one)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("did not end")
	}
	if one := get(base+"/", "", time.Second); one.OK {
		t.Fatal("still answers after its end")
	}
}

func TestRequestBegunBeforeTheSignalIsAnswered(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := testApp()
	stop, signal := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(stop, a, listener, 500*time.Millisecond) }()
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := connection.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n")); err != nil { // not finished yet
		t.Fatal(err)
	}
	if one := get("http://"+listener.Addr().String()+"/", "", time.Second); !one.OK { // the server has taken both
		t.Fatalf("%+v", one)
	}
	signal()
	if _, err := connection.Write([]byte("\r\n")); err != nil {
		t.Fatal(err)
	}
	_ = connection.SetReadDeadline(time.Now().Add(3 * time.Second))
	first := make([]byte, 12)
	if _, err := connection.Read(first); err != nil || string(first) != "HTTP/1.1 200" {
		t.Fatalf("got %q, %v", first, err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestServeRefusesArguments(t *testing.T) {
	if code := run([]string{"serve", "now"}, discard{}, discard{}); code != exitUsage {
		t.Fatalf("exit %d", code)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
