// Command bench measures dataexport against what else there is, side by side in one run.
package main

func main() {}
