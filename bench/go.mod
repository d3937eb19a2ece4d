module github.com/dataexport/dataexport/bench

go 1.26.0

require github.com/dataexport/dataexport v0.0.0-00010101000000-000000000000

replace github.com/dataexport/dataexport => ..

replace github.com/dataexport/dataexport/store/pgstore => ../store/pgstore
