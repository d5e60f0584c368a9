module stacklab.local/pause

go 1.24
