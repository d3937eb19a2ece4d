//go:build gcs

package main

import _ "gocloud.dev/blob/gcsblob" // gs://; without the tag, since it takes almost as long to build as all the rest
