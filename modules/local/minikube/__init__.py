"""minikube: its command lines and the engine shim as text (command, shim), the profile's life (driver)."""
