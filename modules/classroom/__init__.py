"""The class: a roster and a template become a Pulumi stack for every student."""
