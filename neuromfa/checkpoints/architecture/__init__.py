"""Architectures as data: the format of a file, finding the one a checkpoint has, and laying it onto the tensors."""
