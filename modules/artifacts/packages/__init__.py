"""The `packages` source: everything is made here, from Go modules, wheels and Debian packages. No registry of images.

source    the Source: which maker for which recipe
go        the Go command and its own cache folder       build    the programs of a wrapper module, by one command
module    files out of a module's zip                   wheel    a file out of a wheel
"""
