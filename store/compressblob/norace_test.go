//go:build !race

package compressblob_test

const raceDetector = false
