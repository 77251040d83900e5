"""Files that hold tensors: headers, byte ranges and number formats, without ever running what a file asks for."""
