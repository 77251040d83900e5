"""Charts as SVG text, drawn once for pages and reports: colours come from the style sheet, by class."""
