// Package cloudblob keeps the files of dataexport in an object storage: S3, Google Cloud Storage, Azure, or any other for
// which gocloud.dev/blob has a driver.
package cloudblob
