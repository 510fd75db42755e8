"""Draw which program printed which line: a row for each program, a column for each line."""


def draw_rows(programs, lines):
    """Print a row for each Program: a square where it has printed a line, a dot where it hasn't."""
    width = max(len(program.name) for program in programs)
    for program in programs:
        squares = "".join("■" if line in program.lines else "·" for line in lines)
        print(f"{program.name:{width}} {squares}")
