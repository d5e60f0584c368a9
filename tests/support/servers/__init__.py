"""Real servers on loopback that tests start and stop: a publisher's download server and an image registry."""
