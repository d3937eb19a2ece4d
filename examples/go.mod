module github.com/dataexport/dataexport/examples

go 1.26.0

require (
	github.com/dataexport/dataexport v0.0.0-00010101000000-000000000000
	github.com/dataexport/dataexport/store/sqlitestore v0.0.0-00010101000000-000000000000
)

replace (
	github.com/dataexport/dataexport => ../
	github.com/dataexport/dataexport/store/sqlitestore => ../store/sqlitestore
)
