"""Where the scope of a request has the form of its answer, once a route of tables has it."""

FORM = "neuromfa.form"
