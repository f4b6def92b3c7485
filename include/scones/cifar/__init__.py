"""CIFAR-100: from the archive of the University of Toronto to PNG files and `.lst` manifests on S3."""
