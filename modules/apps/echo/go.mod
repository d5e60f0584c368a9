module stacklab/echo

go 1.24
