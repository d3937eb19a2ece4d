//go:build gcs

package main

import _ "gocloud.dev/blob/gcsblob" // gs://; without the tag, since it takes as long to build as all the rest
