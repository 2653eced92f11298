module reader

go 1.22
