module github.com/dataexport/dataexport/store/compressblob

go 1.26.0

require github.com/dataexport/dataexport v0.0.0-00010101000000-000000000000

require (
	github.com/klauspost/compress v1.20.3
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/gocarina/gocsv v0.0.0-20240520201108-78e41c74b4b1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/dataexport/dataexport => ../..
