"""Where artifacts come from: the cache, a bundle file, a mirror, the publishers; all behind the Source protocol.

order.py      setting of the stack file -> sources in the order they are tried; survey.py asks which are in reach
bundle.py     one file that holds everything        upstream.py  publishers' addresses, and the same on a mirror
fetch_url.py  one address -> one checked file        registry.py  one image -> one archive
client.py     the one way out to HTTP                download.py  one file, resumed and retried
"""
