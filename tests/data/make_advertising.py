"""Write advertising.csv: invented data with a known answer, for the regression journey.

Columns, one row a week: week (1 to 160), tv_budget, radio_budget and press_budget (thousands of
euros), sales (thousands of units). Sales are 4.2 + 0.046 tv + 0.19 radio + 0 press, plus noise of
standard deviation 1.2. Run in this folder; the seed makes the file the same every time.
"""

import csv
import random
from pathlib import Path

TARGET = Path(__file__).with_name("advertising.csv")


def rows() -> list[list[object]]:
    """The rows below the header."""
    chance = random.Random(20240229)
    made: list[list[object]] = []
    for week in range(1, 161):
        tv, radio, press = chance.uniform(5, 295), chance.uniform(0, 50), chance.uniform(0, 95)
        sales = 4.2 + 0.046 * tv + 0.19 * radio + chance.gauss(0, 1.2)
        made.append([week, f"{tv:.1f}", f"{radio:.1f}", f"{press:.1f}", f"{sales:.2f}"])
    return made


if __name__ == "__main__":
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["week", "tv_budget", "radio_budget", "press_budget", "sales"])
        writer.writerows(rows())
