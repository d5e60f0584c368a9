"""kind: its configuration and the engine shim as text (config, shim), the cluster's life (driver)."""
