//go:build azure

package main

import _ "gocloud.dev/blob/azureblob" // azblob://; without the tag, since few need it
