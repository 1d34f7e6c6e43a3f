"""Numbers with what they count, as they stand in a sentence."""


def counted(number: float, one: str, many: str = "") -> str:
    """`1 row`, `1,083 rows`, `0.5 epochs`; `many` is a plural that is not `one` with an s."""
    said = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{said} {one if number == 1 else many or one + 's'}"
