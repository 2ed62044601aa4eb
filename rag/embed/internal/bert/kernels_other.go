//go:build !amd64

package bert

// native has no kernels of its own on this architecture.
func native() []*kernels { return nil }
