"""The version of the method: raised whenever a number it gives moves, so that old and new numbers are never mixed.

=======  ==============================================================  ==========================================
version  what changed                                                    which numbers move
=======  ==============================================================  ==========================================
1        results written before versions were counted
2        a graph is identified by how its tensors are read, and options  none: identities only
         by what differs from the defaults
=======  ==============================================================  ==========================================

A new row comes with new golden numbers in ``tests/unit/test_versions.py``, which fail without it.
"""

UNVERSIONED = 1
"""The version of results that say none."""

METHOD_VERSION = 2
"""The version of every number this program measures."""
