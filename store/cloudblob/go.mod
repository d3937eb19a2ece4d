module github.com/dataexport/dataexport/store/cloudblob

go 1.26.0

require github.com/dataexport/dataexport v0.0.0-00010101000000-000000000000

require (
	github.com/johannesboyne/gofakes3 v1.2.0 // indirect
	github.com/ryszard/goskiplist v0.0.0-20150312221310-2dfbae5fcf46 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	go.shabbyrobe.org/gocovmerge v0.0.0-20230507111327-fa4f82cfbf4d // indirect
	go.uber.org/goleak v1.3.0 // indirect
	gocloud.dev v0.47.0 // indirect
	golang.org/x/tools v0.8.0 // indirect
)

replace github.com/dataexport/dataexport => ../..
