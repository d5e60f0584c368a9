package main

import "os"

// identity says who answers. The pod's manifest hands the names in by the downward API.
type identity struct {
	Pod       string
	Node      string
	Namespace string
	Version   string
}

func readIdentity(getenv func(string) string) identity {
	me := identity{
		Pod:       getenv("POD_NAME"),
		Node:      getenv("NODE_NAME"),
		Namespace: getenv("POD_NAMESPACE"),
		Version:   getenv("VERSION"),
	}
	if me.Pod == "" {
		me.Pod, _ = os.Hostname() // a pod's host name is its name
	}
	if me.Version == "" {
		me.Version = version
	}
	return me
}
