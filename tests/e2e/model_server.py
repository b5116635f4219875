"""The scripted model of the browser journeys, as a server of its own.

``python -m tests.e2e.model_server`` prints its URL as one line of JSON and serves until stdin ends.
It keeps no state: every answer follows from the conversation that arrives with the request, so a
repair is only sent to who really reports the error, and a conclusion only to who really has the
result. Anything else is answered with what was missing, which fails the journey.
"""

import base64
import json
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.scripted_openai import (
    DONE,
    Recorded,
    Reply,
    ScriptedOpenAI,
    Step,
    answer,
    call_chunks,
    chunk,
    error,
    raw_call_chunks,
    text_chunks,
    usage,
)

REQUESTS_MAX = 10_000
WRONG_KEY = "sk-wrong-0123456789"
MODELS = ("scripted-small", "scripted-large")


@dataclass(frozen=True)
class Asked:
    """What a request says: the person's last prompt, and the results of the calls since then."""

    model: str
    prompt: str
    results: list[str]
    pictures: list[str]


def read(request: Recorded) -> Asked:
    """The part of a request that decides about its answer."""
    body = request.json
    messages: list[dict[str, Any]] = body["messages"]
    asked = [i for i, one in enumerate(messages) if one["role"] == "user" and not is_drawn(one)]
    last = max(asked)
    results = [text_of(m) for m in messages[last:] if m["role"] == "tool"]
    pictures = [size for m in messages[last:] if m["role"] == "user" for size in sizes_of(m)]
    return Asked(str(body["model"]), text_of(messages[last]), results, pictures)


def is_drawn(message: dict[str, Any]) -> bool:
    """Whether it only shows what the code of the answer before it drew."""
    return text_of(message).startswith("[GPT-Code UI: what your code drew")


def sizes_of(message: dict[str, Any]) -> list[str]:
    """The PNG pictures of a message, each as its size."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    heads = [base64.b64decode(url.partition(";base64,")[2])[16:24] for url in urls]
    return ["x".join(str(one) for one in struct.unpack(">II", head)) for head in heads]


def text_of(message: dict[str, Any]) -> str:
    """The text of a message, whichever of its two shapes it has."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(p.get("text", "") for p in content)


@dataclass(frozen=True)
class Round:
    """One answer of a scenario, given only if the last result holds every one of ``needs``."""

    text: str
    code: str | None = None
    needs: tuple[str, ...] = ()


def play(rounds: tuple[Round, ...], asked: Asked) -> Reply:
    """The answer of this round, or what it lacks."""
    number = len(asked.results)
    if number >= len(rounds):
        return answer(f"UNEXPECTED: there is no round {number}.")
    now = rounds[number]
    last = asked.results[-1] if asked.results else ""
    missing = [need for need in now.needs if need not in last]
    if missing:
        return answer(f"UNEXPECTED: the result lacks {missing}. It was:\n\n```\n{last}\n```")
    return written(now.text, now.code)


def written(text: str, code: str | None) -> Reply:
    """An answer at the pace of a model, so that there is something to watch."""
    steps: list[Step] = []
    parts = [*text_chunks(text), *(call_chunks(code, id=call_id(code)) if code else [])]
    for part in parts:
        steps += [part, lambda: time.sleep(0.002)]
    return Reply([*steps, chunk(finish="tool_calls" if code else "stop"), usage(), DONE])


def call_id(code: str) -> str:
    """An id that differs between the calls of a conversation."""
    return f"call_{abs(hash(code)):x}"


# --- the three scenarios ------------------------------------------------------------------------

LIMITER = '''\
import unittest


class TokenBucket:
    """Lets ``rate`` requests a second through, and bursts of ``capacity``."""

    def __init__(self, rate, capacity, clock):
        self.rate, self.capacity, self.clock = rate, capacity, clock
        self.tokens, self.last = capacity, clock()

    def allow(self, cost=1):
        now = self.clock()
        self.tokens = min(self.capacity, self.tokens + (now - self.last) * self.rate)
        self.last = now
        if cost > self.tokens:
            return False
        self.tokens -= cost
        return True
'''
LIMITER_TESTS = """\
class TokenBucketTest(unittest.TestCase):
    def setUp(self):
        self.now = 0.0
        self.bucket = TokenBucket(rate=2, capacity=3, clock=lambda: self.now)

    def test_a_burst_of_the_capacity_passes(self):
        self.assertEqual([self.bucket.allow() for _ in range(4)], [True, True, True, False])

    def test_tokens_come_back_at_the_rate(self):
        self.bucket.allow(3)
        self.now = 0.5
        self.assertEqual([self.bucket.allow(), self.bucket.allow()], [True, False])

    def test_it_never_holds_more_than_the_capacity(self):
        self.now = 1000.0
        self.assertEqual([self.bucket.allow(3), self.bucket.allow()], [True, False])

    def test_a_refused_request_costs_nothing(self):
        self.assertFalse(self.bucket.allow(4))
        self.assertTrue(self.bucket.allow(3))


suite = unittest.defaultTestLoader.loadTestsFromTestCase(TokenBucketTest)
result = unittest.TextTestRunner(verbosity=2).run(suite)
print("passed" if result.wasSuccessful() else "failed")
"""
RATE_LIMITER = (
    Round("I'll write the limiter with a clock that tests can turn.", LIMITER),
    Round("Now its tests.", LIMITER_TESTS),
    Round(
        "All **4 tests pass**: bursts up to the capacity, refill at the rate, and a refused "
        "request costs nothing.",
        needs=("Ran 4 tests", "OK", "passed"),
    ),
)

GDP_READ = """\
import pandas as pd

gdp = pd.read_csv("gdp_by_province.csv")
gdp.head()
"""
GDP_REPAIR = """\
import pandas as pd

gdp = pd.read_csv(
    "gdp_by_province.csv", encoding="gb18030", skiprows=3, skipfooter=2, engine="python"
)
gdp.columns = ["地区", "2022年", "2021年", "2020年"]
cities = gdp[gdp["地区"].isin(["北京市", "天津市", "上海市", "重庆市"])].set_index("地区")
cities.to_csv("municipalities.csv", encoding="utf-8-sig")
cities
"""
GDP_PLOT = """\
import matplotlib.pyplot as plt

cities[["2020年", "2021年", "2022年"]].plot.bar(rot=0, figsize=(8, 4.5))
plt.title("四个直辖市的地区生产总值")
plt.ylabel("亿元")
plt.tight_layout()
plt.show()
"""
GDP = (
    Round("我先读取这个文件。", GDP_READ),
    Round(
        "文件不是 UTF-8 编码,统计局导出的文件通常是 GB18030。我换用这个编码,并跳过标题行和脚注。",
        GDP_REPAIR,
        needs=("UnicodeDecodeError",),
    ),
    Round("读到了四个直辖市的数据,现在画图。", GDP_PLOT, needs=("上海市", "44652.8")),
    Round(
        "**上海市**的地区生产总值最高,2022 年为 44652.8 亿元;其后是北京市、重庆市和天津市。\n\n"
        "| 地区 | 2022年 |\n|---|---|\n| 上海市 | 44652.8 |\n| 北京市 | 41610.9 |\n"
        "| 重庆市 | 29129.0 |\n| 天津市 | 16311.3 |\n\n"
        "四个城市的数据已保存:[municipalities.csv](files/municipalities.csv)",
        needs=("image/png",),
    ),
)

REGRESSION_BUG = """\
import pandas as pd

weeks = pd.read_csv("advertising.csv")
weeks[["TV", "radio_budget", "sales"]].describe()
"""
REGRESSION_FIT = """\
import numpy as np

names = ["tv_budget", "radio_budget", "press_budget"]
X = np.column_stack([np.ones(len(weeks)), weeks[names]])
y = weeks["sales"].to_numpy()
coefficients, *_ = np.linalg.lstsq(X, y, rcond=None)
fitted = X @ coefficients
r2 = 1 - ((y - fitted) ** 2).sum() / ((y - y.mean()) ** 2).sum()
for name, value in zip(["intercept", *names], coefficients):
    print(f"{name:14} {value:8.4f}")
print(f"R² = {r2:.3f}")
"""
REGRESSION_PLOT = """\
import matplotlib.pyplot as plt

plt.figure(figsize=(6, 5))
plt.scatter(fitted, y, s=14, alpha=0.7)
plt.plot([y.min(), y.max()], [y.min(), y.max()], color="tab:red")
plt.xlabel("fitted sales")
plt.ylabel("sales")
plt.title(f"R² = {r2:.3f}")
plt.show()
"""
REGRESSION = (
    Round("Let me look at the columns first.", REGRESSION_BUG),
    Round(
        "There is no column `TV`; it is called `tv_budget`. I'll use the real names and fit.",
        REGRESSION_FIT,
        needs=("KeyError", "TV"),
    ),
    Round("Now fitted against real values.", REGRESSION_PLOT, needs=("tv_budget", "R² = 0.9")),
    Round(
        "Television and radio explain most of the sales ($R^2 > 0.9$); the press budget adds "
        "nothing.\n\n| | coefficient |\n|---|---|\n| television | 0.046 |\n| radio | 0.19 |",
        needs=("image/png",),
    ),
)

# --- what the other journeys need ---------------------------------------------------------------

LOOP = "import time\nfor i in range(3000):\n    print('tick', i, flush=True)\n    time.sleep(0.1)"


def which_model(asked: Asked) -> Reply:
    """Says which model was asked."""
    return answer(f"You are talking to {asked.model}.")


def endless(_: Asked) -> Reply:
    """Text that goes on until somebody leaves, or for a minute."""
    steps: list[Step] = []
    for word in range(3000):
        steps += [chunk({"content": f"word{word} "}), lambda: time.sleep(0.02)]
    return Reply([*steps, chunk(finish="stop"), DONE])


ECHO = "Say this back: "


def echo(asked: Asked) -> Reply:
    """What the person wrote, as if it were the model's own."""
    return written(asked.prompt.split(ECHO, 1)[1], None)


def measured(asked: Asked) -> Reply:
    """A hundred numbered words at a steady pace, with a code in the middle."""
    if asked.results:
        return answer("Done counting." if "counted 100" in asked.results[0] else "UNEXPECTED")
    code = (
        "import time\nfor i in range(1, 101):\n    print('step', i, flush=True)\n"
        "    time.sleep(0.03)\nprint('counted', i)"
    )
    return written(" ".join(f"one{n}" for n in range(100)), code)


def seen(asked: Asked) -> Reply:
    """Says which pictures came; the large model cannot see, as LM Studio says it."""
    if asked.pictures and asked.model == "scripted-large":
        return error(400, "Model does not support images. Please use a model that does.")
    if "draw" in asked.prompt and not asked.results:
        code = (
            "import matplotlib.pyplot as plt\nplt.bar(['a', 'b', 'c'], [3, 1, 2])\n"
            "plt.title('Sales')\nplt.show()"
        )
        return written("I draw it.", code)
    return answer(f"I see {len(asked.pictures)}: {', '.join(asked.pictures) or 'nothing'}.")


RISKY = """\
import pandas as pd

numbers = pd.Series([1, 2, 3])
import os
print("sum", numbers.sum())
print("names", len(os.environ))
"""


def asks(asked: Asked) -> Reply:
    """Code that is asked about; says at the end what it was told of it."""
    if not asked.results:
        return written("I will count the variables.", RISKY)
    told = asked.results[-1]
    if "did not allow" in told:
        return answer("I was not allowed to.")
    return answer("Changed by you." if "The person changed this code" in told else "It ran as is.")


def uses_tool(asked: Asked) -> Reply:
    """Calls a tool of the MCP server ``peer``; says at the end what came of it."""
    if asked.results:
        return answer(f"It says {asked.results[-1]}")
    text = "The peer's adder knows. " * 4 + "\n\n"
    steps = raw_call_chunks(json.dumps({"a": 2, "b": 40}), id="call_add", name="peer__add")
    return Reply([*text_chunks(text), *steps, chunk(finish="tool_calls"), usage(), DONE])


def waits(asked: Asked) -> Reply:
    """A cell that is silent until its file is there."""
    code = "import os\nimport time\nwhile not os.path.exists('go.txt'):\n    time.sleep(0.05)"
    return answer("It went on.") if asked.results else written("I wait for a file.", code)


SCENARIOS: dict[str, Callable[[Asked], Reply]] = {
    ECHO: echo,
    "rate limiter": lambda asked: play(RATE_LIMITER, asked),
    "直辖市": lambda asked: play(GDP, asked),
    "regression": lambda asked: play(REGRESSION, asked),
    "run for ever": lambda asked: play((Round("Running it.", LOOP), Round("Stopped?")), asked),
    "which model": which_model,
    "write for ever": endless,
    "count": measured,
    "see": seen,
    "ask me": asks,
    "use the tool": uses_tool,
    "wait for go": waits,
}


def reply_to(request: Recorded) -> Reply:
    """The answer to any request."""
    asked = read(request)
    for words, scenario in SCENARIOS.items():
        if words in asked.prompt:
            return scenario(asked)
    return answer(f"UNEXPECTED: no scenario for {asked.prompt!r}")


def main() -> None:
    """Serve until stdin ends."""
    with ScriptedOpenAI(*[reply_to] * REQUESTS_MAX, models=MODELS) as server:
        server.refused_key = WRONG_KEY
        print(json.dumps({"url": server.url}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
