"""What tests share: a project of their own, small servers, readers of outputs."""
