"""What lecturers need: assignments, exercises that are made, grading, results for other systems, worksheets."""
