"""Clusters whose machines are containers of this host: rendering (pure) and driving (thin)."""
