"""The analysis that a job runs: the weather in Seattle between two days.

Rows of data/seattle-weather.csv look like this:

    date,precipitation,temp_max,temp_min,wind,weather
    2012-01-02,10.9,10.6,2.8,4.5,rain
"""

import csv
import io
from collections import Counter
from datetime import date
from pathlib import Path

DATA = Path(__file__).parent / "data" / "seattle-weather.csv"


def summarize(start, end):
    """Summarize the weather from start to end, both days included.

    start, end: ISO dates, such as "2012-01-01". Returns a dict of the form
    {"days": 366, "precipitation_mm": 1226.0, "temp_max_c": 34.4, "temp_min_c": -3.3,
    "wettest_day": "2012-11-19", "weather": {"drizzle": 31, "rain": 191, ...}}; the wettest
    day is the first of those with the most precipitation.
    Raises ValueError for anything that is not such a range within the data.
    """
    rows = _rows(start, end)
    return {
        "days": len(rows),
        "precipitation_mm": round(sum(float(row["precipitation"]) for row in rows), 1),
        "temp_max_c": round(max(float(row["temp_max"]) for row in rows), 1),
        "temp_min_c": round(min(float(row["temp_min"]) for row in rows), 1),
        "wettest_day": max(rows, key=lambda row: float(row["precipitation"]))["date"],
        "weather": dict(sorted(Counter(row["weather"] for row in rows).items())),
    }


def plot(start, end):
    """Draw the days from start to end; return the picture as the bytes of a PNG.

    start, end and errors: as for summarize().
    """
    # Imported here because it is slow, and the API imports this module without ever plotting.
    from matplotlib.figure import Figure

    rows = _rows(start, end)
    days = [date.fromisoformat(row["date"]) for row in rows]
    figure = Figure(figsize=(8, 5), layout="constrained")
    warm, wet = figure.subplots(2, sharex=True)
    warm.set_title(f"Seattle, {start} to {end}")
    lowest, highest = [[float(row[name]) for row in rows] for name in ("temp_min", "temp_max")]
    warm.fill_between(days, lowest, highest, alpha=0.3)
    warm.plot(days, highest, marker=".", markersize=3, label="highest")
    warm.plot(days, lowest, "--", marker=".", markersize=3, label="lowest")
    warm.set_ylabel("temperature, °C")
    warm.legend(loc="upper right")
    wet.vlines(days, 0, [float(row["precipitation"]) for row in rows])
    wet.set_ylabel("precipitation, mm")
    figure.autofmt_xdate()
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def check_range(start, end):
    """Return start and end as dates. Raises ValueError for a non-date or a reversed range."""
    first, last = _day("start", start), _day("end", end)
    if first > last:
        raise ValueError(f"start ({start}) is later than end ({end}): swap them")
    return first, last


def _day(name, text):
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        day = None
    # fromisoformat() also reads "20120101"; accept only one form of a date
    if day is None or day.isoformat() != text:
        raise ValueError(f"{name} is {text!r}; it must be a day such as '2012-01-31'")
    return day


def _rows(start, end):
    first, last = check_range(start, end)
    with open(DATA, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    oldest, newest = rows[0]["date"], rows[-1]["date"]
    for name, day in (("start", first), ("end", last)):
        if not oldest <= day.isoformat() <= newest:
            raise ValueError(f"{name} is {day}, but the data goes from {oldest} to {newest}")
    return [row for row in rows if start <= row["date"] <= end]
