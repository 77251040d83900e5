// Purpose: the shortest question.
// Parameters: none
RETURN 1 AS one
