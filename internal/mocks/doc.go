// Package mocks holds generated doubles of the plug-in interfaces, for tests of what happens when a plug-in fails.
package mocks

//go:generate go run go.uber.org/mock/mockgen@v0.6.0 -destination mocks.go -package mocks github.com/dataexport/dataexport Store,BlobStore
