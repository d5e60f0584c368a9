// The Kubernetes provider of Pulumi. Upstream's own main embeds generated files that its Go module lacks; this one
// embeds what `stacklab fetch` lays beside it: the module's schema with its version set, and its Terraform mapping.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var mapping []byte

func main() {
	provider.Serve("kubernetes", version.Version, schema, mapping)
}
