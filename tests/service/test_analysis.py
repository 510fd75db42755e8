"""The analysis agrees with the data, and refuses a range that the data doesn't have."""

import csv
import io

import pytest
from PIL import Image

from jobs_kit import analysis


def test_a_year_is_summarized():
    assert analysis.summarize("2012-01-01", "2012-12-31") == {
        "days": 366,
        "precipitation_mm": 1226.0,
        "temp_max_c": 34.4,
        "temp_min_c": -3.3,
        "wettest_day": "2012-11-19",
        "weather": {"drizzle": 31, "fog": 5, "rain": 191, "snow": 21, "sun": 118},
    }


def test_both_ends_belong_to_the_range():
    assert analysis.summarize("2012-01-02", "2012-01-02") == {
        "days": 1,
        "precipitation_mm": 10.9,
        "temp_max_c": 10.6,
        "temp_min_c": 2.8,
        "wettest_day": "2012-01-02",
        "weather": {"rain": 1},
    }


def test_all_of_the_data_can_be_asked_for():
    with open(analysis.DATA, newline="") as file:
        rows = list(csv.DictReader(file))
    summary = analysis.summarize(rows[0]["date"], rows[-1]["date"])
    assert summary["days"] == len(rows) == 1461
    assert sum(summary["weather"].values()) == 1461
    assert summary["precipitation_mm"] == 4426.0


def test_a_plot_is_a_png():
    for end in ("2012-01-01", "2015-12-31"):
        picture = Image.open(io.BytesIO(analysis.plot("2012-01-01", end)))
        assert picture.format == "PNG" and picture.width >= 600


@pytest.mark.parametrize("function", [analysis.summarize, analysis.plot])
@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("2012-02-01", "2012-01-31", "start (2012-02-01) is later than end (2012-01-31)"),
        ("2011-12-31", "2012-01-31", "start is 2011-12-31, but the data goes from 2012-01-01 to"),
        ("2015-12-31", "2016-01-01", "end is 2016-01-01, but the data goes"),
        ("yesterday", "2012-01-31", "start is 'yesterday'; it must be a day such as '2012-01-31'"),
        ("2012-01-01", "2012-02-30", "end is '2012-02-30'; it must be a day"),
        ("20120101", "2012-01-31", "start is '20120101'; it must be a day"),
        (None, "2012-01-31", "start is None; it must be a day"),
        (20120101, "2012-01-31", "start is 20120101; it must be a day"),
    ],
)
def test_a_range_outside_the_data_is_refused(function, start, end, message):
    with pytest.raises(ValueError) as refusal:
        function(start, end)
    assert str(refusal.value).startswith(message)
