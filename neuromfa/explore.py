"""Named questions to a stored graph, each answered by Cypher or by numpy with equal answers.

(Being written: issue 6 point 1 lives here, not in neuromfa.graph.)
"""
