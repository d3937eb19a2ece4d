module github.com/dataexport/dataexport

go 1.25.0

require (
	github.com/gocarina/gocsv v0.0.0-20240520201108-78e41c74b4b1
	github.com/google/uuid v1.6.0
	github.com/stretchr/testify v1.12.1
	github.com/yuin/goldmark v1.8.7
	go.uber.org/mock v0.6.0
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect
