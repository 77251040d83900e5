"""Where files lie: a folder, an address, a repository of the hub; bytes by range from each."""
