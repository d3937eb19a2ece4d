module github.com/dataexport/dataexport/store/compressblob

go 1.26.0

require github.com/dataexport/dataexport v0.0.0-00010101000000-000000000000

require (
	github.com/klauspost/compress v1.20.3
	github.com/stretchr/testify v1.12.1
)

replace github.com/dataexport/dataexport => ../..
