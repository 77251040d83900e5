"""The version of the method: raised whenever a number it gives moves, so that old and new numbers are never mixed.

=======  ==============================================================  ==========================================
version  what changed                                                    which numbers move
=======  ==============================================================  ==========================================
1        results written before versions were counted
2        a graph is identified by how its tensors are read, and options  none: identities only
         by what differs from the defaults
3        a row of keys or values that heads share is one neuron, wired   those of models with shared heads, and their
         to the units of these heads (it stood once for each unit);      graphs; identities of all results and graphs,
         graphs have version 3                                           since both versions stand in them
         no E against weights of another shape, nor against a baseline   E, where the baseline is none of the run
         whose weights stand at another step too
4        nulls permute, draw and scale each stored part by itself        null figures of matrices with several
         (queries, keys and values apart, also in one tensor)            parts; real figures stay as they are
         excess over paired draws, terms, profile shape and verdicts
=======  ==============================================================  ==========================================

A new row comes with new golden numbers in ``tests/unit/test_versions.py``, which fail without it.
"""

UNVERSIONED = 1
"""The version of results that say none."""

METHOD_VERSION = 4
"""The version of every number this program measures."""
