"""Where artifacts come from: the cache, a bundle file, a mirror, the publishers; all behind the Source protocol.

order      the stack file's setting -> sources in the order they are tried; survey asks which of them are in reach
bundle     one file that holds everything; bundle_writing     packing    what it must hold for labs, and the proof
published  publishers' addresses, and the same on a mirror    registry   the pull half of the OCI distribution API
download   one file, resumed and retried                      client     the one way out to HTTP
"""
