"""A live page for this machine's user only: the shell that every page of stacklab stands in.

parts (HTML, from pure functions) -> live.Live -> site.build(...) behind guard.Guard -> serve.run on a loopback port

It knows nothing of labs; who uses it brings a page, its parts and its style.
"""
